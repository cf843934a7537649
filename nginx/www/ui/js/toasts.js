// Toasts: messages at the bottom of the page, with undo.

import { alert, announce } from "./announcements.js";
import { copyElement, find, findAll } from "./dom.js";
import { usesSingleKeys } from "./keyboard.js";
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

/** Removes a toast; if it has the focus, the focus moves to the heading of the view. */
function remove(element) {
  const hasFocus = element.contains(document.activeElement);
  element.remove();
  if (hasFocus) find("main h1")?.focus();
}

/** Shows what was done, and offers to undo it for ten seconds; `action` is that of an `Undoable`. Returns a function that undoes it. */
export function offerUndo(action) {
  let element;
  const undoable = new Undoable(guarded(action), (state) => {
    if (state === "open") return resume();
    open.delete(undoable);
    remove(element);
  });
  /** Resumes the countdown, unless the toast still has the pointer or the focus. */
  const resume = () => element.matches(":hover, :focus-within") || undoable.resume();
  open.add(undoable);
  element = show(action.text, "Undo", () => undoable.undo(), "timed");
  for (const event of ["pointerenter", "focusin"]) element.addEventListener(event, () => undoable.pause());
  for (const event of ["pointerleave", "focusout"]) element.addEventListener(event, () => setTimeout(resume));
  announce(`${action.text} Press ${usesSingleKeys() ? "z" : "Control z"} to undo.`);
  return () => undoable.undo();
}

let undoing = Promise.resolve();

/** The same action, whose undo waits for earlier ones, and shows its errors. */
function guarded({ undo, ...action }) {
  const attempt = async () => {
    try {
      if ((await undo()) === false) return false;
      announce("Undone.");
    } catch (error) {
      tellFailure(`Not undone: ${error.message}`);
      return !error.isTemporary;
    }
  };
  return { ...action, undo: () => (undoing = undoing.then(attempt)) };
}

/** Undoes the newest undoable action. */
export function undoNewest() {
  const newest = [...open].findLast(({ state }) => state === "open");
  if (newest) newest.undo();
  else announce("There is nothing to undo.");
}

/** Commits all pending actions, because the page is being closed. */
export const commitAll = () => [...open].forEach((undoable) => undoable.commit());

/** Shows a message that requires no action, for ten seconds. */
export function tell(text) {
  const element = show(text, "Dismiss", () => remove(element));
  setTimeout(() => remove(element), undoSeconds * 1000);
  announce(text);
}

const mostFailures = 3;

/** Shows an error until it is dismissed. Repeated errors are counted in one toast, and at most three are shown. */
export function tellFailure(text) {
  alert(text);
  const failures = findAll("#toasts .failed");
  const same = failures.find((element) => element.dataset.text === text);
  if (same) {
    same.dataset.times = Number(same.dataset.times ?? 1) + 1;
    find("p", same).textContent = `${text} ×${same.dataset.times}`;
    return;
  }
  if (failures.length === mostFailures) remove(failures[0]);
  const element = show(text, "Dismiss", () => remove(element), "failed");
  element.dataset.text = text;
}

/** Shows the progress of an operation: a text that can be updated, and a button to stop it. */
export function tellProgress(text, stop) {
  const element = show(text, "Stop", stop);
  return { set: (text) => (find("p", element).textContent = text), end: () => remove(element) };
}
