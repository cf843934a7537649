// What is done to all selected campaigns at once, and undone.

import * as api from "./api.js";
import { counted } from "./campaign.js";
import { changed } from "./changes.js";
import { offerUndo, tell, tellFailure } from "./toasts.js";

/** The campaigns that are deleted as soon as that cannot be undone any more: nobody is shown them until then. */
export const leaving = new Set();

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

/** Deletes campaigns: they vanish at once, and are deleted when it has not been undone, so that undoing restores all of them. */
export function removeAll(ids) {
  for (const id of ids) leaving.add(id);
  changed();
  const forget = () => {
    for (const id of ids) leaving.delete(id);
    changed();
  };
  offerUndo({
    text: `${counted(ids.length)} deleted.`,
    undo: forget,
    commit: () => api.removeMany(ids).finally(forget),
  });
}
