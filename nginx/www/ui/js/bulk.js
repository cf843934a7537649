// Bulk actions on the selected campaigns, and their undo.

import * as api from "./api.js";
import { counted, quoted } from "./campaign.js";
import { changed } from "./changes.js";
import { offerUndo, tell, tellFailure } from "./toasts.js";

/** The campaigns with a pending deletion, which is sent when it can no longer be undone; until then they are hidden. Maps ids to functions that undo it. */
export const leaving = new Map();

/** Activates or deactivates campaigns, with undo. */
export async function setActive(seen, isActive) {
  const verb = (is) => (is ? "activated" : "deactivated");
  let opened;
  try {
    opened = await readAll(seen);
  } catch (error) {
    return tellFailure(`Not ${verb(isActive)}: ${error.message}`);
  }
  // Campaigns that others have set meanwhile are left out, so that undo does not revert their changes.
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
 * Deletes the campaigns that are still as the user saw them. They are hidden immediately, but deleted only when the time for undo has passed,
 * so that undo restores them completely. Campaigns that others change before or meanwhile are kept.
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
      // keepalive: also sent when the page is being closed.
      const result = await each(chosen, ({ campaign, etag }) => api.remove(campaign.id, etag, { keepalive: true }));
      forget();
      tellRest(result, "deleted");
    },
  });
  for (const { campaign } of chosen) leaving.set(campaign.id, undo);
}

/** Fetches campaigns, with their versions; those that no longer exist are left out. */
async function readAll(campaigns) {
  const nothingIfGone = (error) => {
    if (error.status !== 404) throw error;
  };
  return (await Promise.all(campaigns.map(({ id }) => api.read(id).catch(nothingIfGone)))).filter(Boolean);
}

/** Runs an action on each campaign: `done` are the results, `left` the campaigns that others have changed, `failed` the others that failed, with an `error`. */
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

/** Reports the campaigns on which an action was not carried out, and why. */
function tellRest({ left, failed, error }, done) {
  if (error) tellFailure(error.of(counted(failed.length), done));
  tellLeft(left, done);
}

/** Reports the campaigns that others have changed: the names of the first five, and how many more. */
function tellLeft(campaigns, done) {
  if (campaigns.length === 0) return;
  const names = campaigns.slice(0, 5).map(({ campaign }) => quoted(campaign.name));
  const more = campaigns.length > names.length ? ` and ${campaigns.length - names.length} more` : "";
  tellFailure(`Not ${done}, because somebody changed ${campaigns.length === 1 ? "it" : "them"} meanwhile: ${names.join(", ")}${more}.`);
}
