// Saving a change, with resolution of conflicting changes by others.

import * as api from "./api.js";
import { changesBetween } from "./campaign.js";
import { resolveConflict } from "./dialogs.js";

/**
 * Saves the version `mine`, which was edited from `base`, over the current version `opened`. If somebody else has changed the same fields, both
 * versions are shown, and the merged one is saved.
 * @returns `{ campaign, etag, replaced }`, where `replaced` contains the previous values of the changed fields; or `null` if the user cancelled
 *   the choice, and nothing was saved.
 * @throws ApiError
 */
export async function save(opened, mine, base = opened.campaign) {
  const theirs = changesBetween(base, opened.campaign);
  if (Object.keys(changesBetween(opened.campaign, mine)).some((field) => field in theirs)) {
    mine = await resolveConflict(base, mine, opened.campaign);
    if (!mine) return null;
  }
  for (;;) {
    const change = changesBetween(opened.campaign, mine);
    const replaced = changesBetween(mine, opened.campaign);
    if (Object.keys(change).length === 0) return { ...opened, replaced };
    try {
      return { ...(await api.change(base.id, change, opened.etag)), replaced };
    } catch (error) {
      if (error.status !== 412) throw error;
    }
    opened = await api.read(base.id);
    mine = await resolveConflict(base, mine, opened.campaign);
    if (!mine) return null;
  }
}
