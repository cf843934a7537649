// What is done to all selected campaigns at once, and undone.

import * as api from "./api.js";
import { counted, quoted } from "./campaign.js";
import { changed } from "./changes.js";
import { offerUndo, tell, tellFailure } from "./toasts.js";

/** The campaigns that are deleted as soon as that cannot be undone any more: nobody is shown them until then. Each has what undoes its deletion. */
export const leaving = new Map();

/** Activates or deactivates campaigns. */
export async function setActive(seen, isActive) {
  const verb = (is) => (is ? "activated" : "deactivated");
  let opened;
  try {
    opened = await readAll(seen);
  } catch (error) {
    return tellFailure(`Not ${verb(isActive)}: ${error.message}`);
  }
  // What others did to them since they were shown is not undone with this.
  const chosen = opened.filter(({ campaign }) => campaign.is_active !== isActive);
  if (chosen.length === 0) return tell(`All of them are ${isActive ? "active" : "inactive"} already.`);
  const set = async (campaigns, is) => {
    const result = await each(campaigns, ({ campaign, etag }) => api.change(campaign.id, { is_active: is }, etag));
    changed();
    tellRest(result, verb(is));
    return result;
  };
  let { done } = await set(chosen, isActive);
  if (done.length === 0) return;
  offerUndo({
    text: `${counted(done.length)} ${verb(isActive)}.`,
    undo: async () => {
      const { failed } = await set(done, !isActive);
      done = failed;
      return failed.length === 0;
    },
  });
}

/**
 * Deletes campaigns that are what somebody saw: they vanish at once, and are deleted when it has not been undone, so that undoing
 * restores all of them. What others change, before it or meanwhile, stays.
 */
export async function removeAll(selected) {
  const seen = selected.filter(({ id }) => !leaving.has(id));
  const stay = (campaigns) => {
    for (const { id } of campaigns) leaving.delete(id);
    changed();
  };
  for (const campaign of seen) leaving.set(campaign.id, () => stay([campaign]));
  changed();
  let opened;
  try {
    opened = await readAll(seen);
  } catch (error) {
    stay(seen);
    return tellFailure(`Not deleted: ${error.message}`);
  }
  const texts = new Set(seen.map((campaign) => JSON.stringify(campaign)));
  const isAsSeen = ({ campaign }) => texts.has(JSON.stringify(campaign));
  const chosen = opened.filter((now) => isAsSeen(now) && leaving.has(now.campaign.id));
  if (chosen.length < seen.length) stay(seen.filter(({ id }) => !chosen.some(({ campaign }) => campaign.id === id)));
  tellLeft(opened.filter((now) => !isAsSeen(now)), "deleted");
  if (chosen.length === 0) return;
  const forget = () => stay(chosen.map(({ campaign }) => campaign));
  const undo = offerUndo({
    text: `${counted(chosen.length)} deleted.`,
    undo: forget,
    commit: async () => {
      // Also when the page goes away.
      const result = await each(chosen, ({ campaign, etag }) => api.remove(campaign.id, etag, { keepalive: true }));
      forget();
      tellRest(result, "deleted");
    },
  });
  for (const { campaign } of chosen) leaving.set(campaign.id, undo);
}

/** Reads campaigns, with their versions; those that are gone are left out. */
async function readAll(campaigns) {
  const nothingIfGone = (error) => {
    if (error.status !== 404) throw error;
  };
  return (await Promise.all(campaigns.map(({ id }) => api.read(id).catch(nothingIfGone)))).filter(Boolean);
}

/** Does something with each one: `done` is what came of it, `left` are those that others changed meanwhile, `failed` those with an `error`. */
async function each(campaigns, act) {
  const results = await Promise.allSettled(campaigns.map(act));
  const isFailure = ({ reason }) => reason && ![404, 412].includes(reason.status);
  return {
    done: results.filter(({ status }) => status === "fulfilled").map(({ value }) => value),
    left: campaigns.filter((_, index) => results[index].reason?.status === 412),
    failed: campaigns.filter((_, index) => isFailure(results[index])),
    error: results.find(isFailure)?.reason,
  };
}

/** Tells what something was not done with, and why. */
function tellRest({ left, failed, error }, done) {
  if (error) tellFailure(error.of(counted(failed.length), done));
  tellLeft(left, done);
}

/** Tells what others changed, by its names; of many, by the first ones. */
function tellLeft(campaigns, done) {
  if (campaigns.length === 0) return;
  const names = campaigns.slice(0, 5).map(({ campaign }) => quoted(campaign.name));
  const more = campaigns.length > names.length ? ` and ${campaigns.length - names.length} more` : "";
  tellFailure(`Not ${done}, because somebody changed ${campaigns.length === 1 ? "it" : "them"} meanwhile: ${names.join(", ")}${more}.`);
}
