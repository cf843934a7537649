// Two people's versions of one campaign, field by field. No DOM.

import { fields } from "./campaign.js";

/**
 * The fields in which my version and theirs differ, of the one that both began with: whose change it is, and what to suggest.
 * Where both changed a field nothing is suggested, so that somebody has to choose.
 */
export function differences(base, mine, theirs) {
  return fields
    .filter((field) => mine[field] !== theirs[field])
    .map((field) => {
      const changedByMe = mine[field] !== base[field];
      const changedByThem = theirs[field] !== base[field];
      const suggestion = changedByMe && changedByThem ? null : changedByMe ? "mine" : "theirs";
      return { field, mine: mine[field], theirs: theirs[field], changedByMe, changedByThem, suggestion };
    });
}

/** Their version, with the fields of mine that were chosen: `{ name: "mine", description: "theirs" }`. */
export function merged(mine, theirs, choices) {
  const result = { ...theirs };
  for (const [field, choice] of Object.entries(choices)) if (choice === "mine") result[field] = mine[field];
  return result;
}
