// A three-way merge of a campaign, field by field. No DOM.

import { fields } from "./campaign.js";

/**
 * The fields in which my version and theirs differ, with who changed them since the common base version, and which one to suggest.
 * For a field that both changed there is no suggestion, so that the user has to choose.
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

/** Their version, with the fields of mine that the user chose: `{ name: "mine", description: "theirs" }`. */
export function merged(mine, theirs, choices) {
  const result = { ...theirs };
  for (const [field, choice] of Object.entries(choices)) if (choice === "mine") result[field] = mine[field];
  return result;
}
