// Messages at the foot of the page, and the actions that can be undone there.

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

/** Removes a message; a focus that it has goes to what the page is about. */
function remove(element) {
  const hasFocus = element.contains(document.activeElement);
  element.remove();
  if (hasFocus) find("main h1")?.focus();
}

/** Tells what was done, and offers to undo it for ten seconds; `action` is as for `Undoable`. Returns what undoes it. */
export function offerUndo(action) {
  let element;
  const undoable = new Undoable(guarded(action), (state) => {
    if (state === "open") return goOn();
    open.delete(undoable);
    remove(element);
  });
  /** Its time goes on, unless somebody looks at it still, with the pointer or the focus. */
  const goOn = () => element.matches(":hover, :focus-within") || undoable.resume();
  open.add(undoable);
  element = show(action.text, "Undo", () => undoable.undo(), "timed");
  for (const event of ["pointerenter", "focusin"]) element.addEventListener(event, () => undoable.pause());
  for (const event of ["pointerleave", "focusout"]) element.addEventListener(event, () => setTimeout(goOn));
  announce(`${action.text} Press ${usesSingleKeys() ? "z" : "Control z"} to undo.`);
  return () => undoable.undo();
}

let undoing = Promise.resolve();

/** The same action, which is undone when those before it are; a failure is told. */
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

/** Undoes the newest action that can be undone. */
export function undoNewest() {
  const newest = [...open].findLast(({ state }) => state === "open");
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

const mostFailures = 3;

/** Tells that something went wrong, until somebody has read it: the same is told once, and the newest ones leave the page to be seen. */
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

/** Tells what goes on: a text that can be changed, and a way to stop it. */
export function tellProgress(text, stop) {
  const element = show(text, "Stop", stop);
  return { set: (text) => (find("p", element).textContent = text), end: () => remove(element) };
}
