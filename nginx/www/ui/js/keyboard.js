// Keyboard shortcuts and their commands.

import { find } from "./dom.js";
import { recall, remember } from "./storage.js";

const commands = {
  "/": "search",
  n: "new",
  j: "next",
  k: "previous",
  x: "select",
  X: "extend",
  e: "edit",
  z: "undo",
  "?": "help",
  Escape: "cancel",
};

/**
 * The command of a key press: none while the user types text, or with Control, Alt or Meta, except for Control z. If single keys are turned
 * off, only Escape is a shortcut without Control.
 * @param where `{ isTyping, usesSingleKeys }`
 */
export function commandOf({ key, ctrlKey, altKey, metaKey }, { isTyping, usesSingleKeys }) {
  if (altKey || isTyping) return null;
  if (ctrlKey || metaKey) return key === "z" ? "undo" : null;
  return usesSingleKeys || key === "Escape" ? (commands[key] ?? null) : null;
}

const isTyping = (target) => target.matches("textarea, select, input:not([type=checkbox], [type=radio])");

/** Whether single keys, without Control, are shortcuts: a setting. */
export const usesSingleKeys = () => find("#single-keys").checked;

/** Calls `perform` with the command of each key press. It returns false if the command does not apply. */
export function listen(perform) {
  const setting = find("#single-keys");
  setting.checked = recall("localStorage", "single keys") !== "off";
  setting.addEventListener("change", () => remember("localStorage", "single keys", setting.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || find("dialog[open]")) return;
    const command = commandOf(event, { isTyping: isTyping(event.target), usesSingleKeys: usesSingleKeys() });
    if (command && perform(command) !== false) event.preventDefault();
  });
}
