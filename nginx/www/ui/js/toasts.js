// Messages at the foot of the page, and the actions that can be undone there.

import { alert, announce } from "./announcements.js";
import { copyElement, find } from "./dom.js";
import { Undoable, undoSeconds } from "./undo.js";

const open = new Set();

function show(text, label, act, style = "") {
  const element = copyElement("toast");
  find("p", element).textContent = text;
  const button = find("button", element);
  button.textContent = label;
  button.addEventListener("click", act);
  if (style) element.classList.add(style);
  find("#toasts").append(element);
  return element;
}

/** Removes a message; a focus that it has goes to what the page is about. */
function remove(element) {
  const hasFocus = element.contains(document.activeElement);
  element.remove();
  if (hasFocus) find("main h1")?.focus();
}

/** Tells what was done, and offers to undo it for ten seconds; `action` is as for `Undoable`. Returns what undoes it. */
export function offerUndo(action) {
  let element;
  const undoable = new Undoable(guarded(action), () => {
    open.delete(undoable);
    remove(element);
  });
  open.add(undoable);
  element = show(action.text, "Undo", () => undoable.undo(), "timed");
  for (const event of ["pointerenter", "focusin"]) element.addEventListener(event, () => undoable.pause());
  for (const event of ["pointerleave", "focusout"]) element.addEventListener(event, () => undoable.resume());
  announce(`${action.text} Press z to undo.`);
  return () => undoable.undo();
}

/** The same action, whose failures are told. */
function guarded({ text, undo, commit }) {
  const guard = (act, done) => async () => {
    try {
      await act();
      if (done) announce(done);
    } catch (error) {
      tellFailure(error.message);
    }
  };
  return { text, undo: guard(undo, "Undone."), commit: commit && guard(commit) };
}

/** Undoes the newest action that can be undone. */
export function undoNewest() {
  const newest = [...open].at(-1);
  if (newest) newest.undo();
  else announce("There is nothing to undo.");
}

/** Carries out what waits to be undone, because the page goes away. */
export const commitAll = () => [...open].forEach((undoable) => undoable.commit());

/** Tells something that needs nothing to be done. */
export function tell(text) {
  const element = show(text, "Dismiss", () => remove(element));
  setTimeout(() => remove(element), undoSeconds * 1000);
  announce(text);
}

/** Tells that something went wrong, until somebody has read it. */
export function tellFailure(text) {
  const element = show(text, "Dismiss", () => remove(element), "failed");
  alert(text);
}

/** Tells what goes on: a text that can be changed, and a way to stop it. */
export function tellProgress(text, stop) {
  const element = show(text, "Stop", stop);
  return { set: (text) => (find("p", element).textContent = text), end: () => remove(element) };
}
