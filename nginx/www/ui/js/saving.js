// Saving a change of a campaign that others may change too.

import * as api from "./api.js";
import { changesBetween } from "./campaign.js";
import { resolveConflict } from "./dialogs.js";

/**
 * Makes a campaign be `mine`, which was made of `base`, as it was `opened` to be saved. When somebody else changed the same since, both
 * versions are shown, and what is chosen is saved.
 * @returns `{ campaign, etag, replaced }`, the last one with the former values of what was changed; or `null` when the choice was put off:
 *   nothing is saved then.
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
