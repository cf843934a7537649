// Keys, and the commands that they stand for.

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
 * The command of a key press: none while something is typed, or with Control, Alt or Meta, but for Control z; with single keys turned
 * off, Escape only.
 * @param where `{ isTyping, usesSingleKeys }`
 */
export function commandOf({ key, ctrlKey, altKey, metaKey }, { isTyping, usesSingleKeys }) {
  if (altKey || isTyping) return null;
  if (ctrlKey || metaKey) return key === "z" ? "undo" : null;
  return usesSingleKeys || key === "Escape" ? (commands[key] ?? null) : null;
}

const isTyping = (target) => target.matches("textarea, select, input:not([type=checkbox], [type=radio])");

/** Whether keys without Control are shortcuts. */
export const usesSingleKeys = () => find("#single-keys").checked;

/** Calls `perform` with the command of each key press; it returns false when there is nothing to do. */
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
