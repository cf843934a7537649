// Questions that have to be answered before anything else.

import { labels, quoted, readable } from "./campaign.js";
import { differences, merged } from "./conflict.js";
import { copyElement, find, findAll } from "./dom.js";

/** Opens a dialog, and waits for the value of the button that closes it: "" for Escape. */
export function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return closed(dialog);
}

const closed = (dialog) => new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));

export function cancel(dialog) {
  dialog.close("");
  return closed(dialog);
}

/** Closes what is open, as Escape does. */
export const cancelAll = () => Promise.all(findAll("dialog[open]").map(cancel));

// Not a button that submits: Enter is for the other one.
find("#conflict [type=button]").addEventListener("click", () => cancel(find("#conflict")));

/** Whether somebody means it. */
export async function confirmed({ title, text, action }) {
  const dialog = find("#confirm");
  find("h2", dialog).textContent = title;
  find("p", dialog).textContent = text;
  find("[value=yes]", dialog).textContent = action;
  return (await ask(dialog)) === "yes";
}

/** Whether what was typed may be thrown away. */
export const mayDiscard = () => confirmed({ title: "Discard your changes?", text: "They are not saved yet.", action: "Discard" });

let conflicts = Promise.resolve();

/**
 * Shows both versions of a campaign, and returns the one that somebody makes of them; `null` when they would rather not yet. Of two
 * campaigns, the second one waits until the first one is decided.
 */
export const resolveConflict = (...versions) => (conflicts = conflicts.catch(() => {}).then(() => choose(...versions)));

async function choose(base, mine, theirs) {
  const dialog = find("#conflict");
  const choices = differences(base, mine, theirs);
  if (choices.length === 0) return theirs;
  find("h2", dialog).textContent = `Somebody else changed this campaign: ${quoted(base.name)}`;
  find("[data-part=fields]", dialog).replaceChildren(...choices.map(choiceElement));
  if ((await ask(dialog)) !== "save") return null;
  return merged(mine, theirs, Object.fromEntries(new FormData(find("form", dialog))));
}

function choiceElement({ field, suggestion, ...difference }) {
  const element = copyElement("choice");
  find("legend", element).textContent = labels[field];
  for (const [whose, isChanged] of [["mine", difference.changedByMe], ["theirs", difference.changedByThem]]) {
    const input = find(`[value=${whose}]`, element);
    input.name = field;
    input.checked = suggestion === whose;
    const label = input.closest("label");
    find(".whose", label).textContent = isChanged ? "changed" : "as it was";
    find(".value", label).textContent = readable(field, difference[whose]);
  }
  return element;
}

/** The list of shortcuts. */
export const showHelp = () => ask(find("#help"));
