// Modal dialogs.

import { labels, quoted, readable } from "./campaign.js";
import { differences, merged } from "./conflict.js";
import { copyElement, find, findAll } from "./dom.js";

/** Opens a dialog. Resolves to the value of the button that closes it, or "" for Escape. */
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

/** Closes all open dialogs, like Escape. */
export const cancelAll = () => Promise.all(findAll("dialog[open]").map(cancel));

// Not a submit button, since Enter activates the other one.
find("#conflict [type=button]").addEventListener("click", () => cancel(find("#conflict")));

/** Asks for confirmation. */
export async function confirmed({ title, text, action }) {
  const dialog = find("#confirm");
  find("h2", dialog).textContent = title;
  find("p", dialog).textContent = text;
  find("[value=yes]", dialog).textContent = action;
  return (await ask(dialog)) === "yes";
}

/** Asks whether unsaved changes may be discarded. */
export const mayDiscard = () => confirmed({ title: "Discard your changes?", text: "They are not saved yet.", action: "Discard" });

let conflicts = Promise.resolve();

/**
 * Shows both versions of a campaign, and resolves to the one that the user merges from them, or to `null` if the user cancels. If two
 * campaigns have conflicts, the second dialog opens after the first one is closed.
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

/** Shows the keyboard shortcuts. */
export const showHelp = () => ask(find("#help"));
