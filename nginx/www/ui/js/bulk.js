// What is done to all selected campaigns at once, and undone.

import * as api from "./api.js";
import { counted, isolated } from "./campaign.js";
import { changed } from "./changes.js";
import { offerUndo, tell, tellFailure } from "./toasts.js";

/** The campaigns that are deleted as soon as that cannot be undone any more: nobody is shown them until then. Each has what undoes its deletion. */
export const leaving = new Map();

/** Activates or deactivates campaigns. */
export async function setActive(campaigns, isActive) {
  try {
    // What others did to them since they were shown is not undone with this.
    const ids = await api.inState(campaigns.map((campaign) => campaign.id), !isActive);
    if (ids.length === 0) return tell(`All of them are ${isActive ? "active" : "inactive"} already.`);
    const number = await api.changeMany(ids, { is_active: isActive });
    changed();
    offerUndo({
      text: `${counted(number)} ${isActive ? "activated" : "deactivated"}.`,
      undo: async () => {
        await api.changeMany(ids, { is_active: !isActive });
        changed();
      },
    });
  } catch (error) {
    tellFailure(`Not ${isActive ? "activated" : "deactivated"}: ${error.message}`);
  }
}

/**
 * Deletes campaigns that are what somebody saw: they vanish at once, and are deleted when it has not been undone, so that undoing
 * restores all of them. What others change, before it or meanwhile, stays.
 */
export async function removeAll(seen) {
  let opened;
  try {
    opened = await Promise.all(seen.map(({ id }) => api.read(id).catch(nothingIfGone)));
  } catch (error) {
    return tellFailure(`Not deleted: ${error.message}`);
  }
  const isAsSeen = (now, index) => now && JSON.stringify(now.campaign) === JSON.stringify(seen[index]);
  const chosen = opened.filter(isAsSeen);
  tellLeft(opened.filter((now, index) => now && !isAsSeen(now, index)));
  if (chosen.length === 0) return changed();
  const forget = () => {
    for (const { campaign } of chosen) leaving.delete(campaign.id);
    changed();
  };
  const undo = offerUndo({
    text: `${counted(chosen.length)} deleted.`,
    undo: forget,
    commit: async () => {
      const removals = await Promise.allSettled(chosen.map(remove));
      forget();
      const failed = removals.map(({ reason }) => reason).filter((error) => error && ![404, 412].includes(error.status));
      if (failed.length) tellFailure(`${counted(failed.length)} not deleted: ${failed[0].message}`);
      tellLeft(chosen.filter((_, index) => removals[index].reason?.status === 412));
    },
  });
  for (const { campaign } of chosen) leaving.set(campaign.id, undo);
  changed();
}

function nothingIfGone(error) {
  if (error.status !== 404) throw error;
}

/** Deletes one, while it is the version that was opened, or what changes from here made of it; also when the page goes away. */
const remove = ({ campaign, etag }) => api.remove(campaign.id, api.latestOwn(campaign.id, etag), { keepalive: true });

/** Tells what was not deleted, by its names; of many, by the first ones. */
function tellLeft(changed) {
  if (changed.length === 0) return;
  const names = changed.slice(0, 5).map(({ campaign: { name } }) => `“${isolated(name.length > 40 ? `${name.slice(0, 39)}…` : name)}”`);
  const more = changed.length > names.length ? ` and ${changed.length - names.length} more` : "";
  tellFailure(`Not deleted, because somebody changed ${changed.length === 1 ? "it" : "them"} meanwhile: ${names.join(", ")}${more}.`);
}
