// Inline editing of a cell of the list.

import { alert } from "./announcements.js";
import { labels, problem, quoted } from "./campaign.js";
import { setInitial, copyElement, find, findAll, isEdited } from "./dom.js";
import { tellFailure } from "./toasts.js";

/** The editors within an element that have unsaved changes. Resetting an editor, which is a form, cancels it. */
export const unsavedEditors = (root) => findAll(".inline", root).filter(({ elements: [input] }) => isEdited(input));

const saving = new Set();

/** Waits until all editors are saved, for at most one second after the last dialog about them is closed. */
export const saved = () => Promise.race([Promise.all(saving), patience()]);

async function patience() {
  do await new Promise((resolve) => setTimeout(resolve, 1000));
  while (saving.size && find("dialog[open]"));
}

/**
 * Replaces the contents of a cell by an editor. Enter, or leaving the editor, saves; Escape cancels.
 * @param save gets the new value, and returns a promise of whether it was saved; its errors are shown beside the field.
 * @param closed is called when the editor has been removed, with whether to restore the focus.
 */
export function edit({ shown, field, campaign, save, closed }) {
  const form = copyElement("editor");
  const isLong = field === "description";
  const input = document.createElement(isLong ? "textarea" : "input");
  if (isLong) input.rows = 1;
  else input.type = "text";
  setInitial(input, campaign[field]);
  input.ariaLabel = labels[field];
  input.setAttribute("aria-describedby", "editor-error");
  find("div", form).prepend(input);
  let isClosed = false;
  /** Whether the focus has not moved elsewhere. */
  const isHere = () => form.contains(document.activeElement) || document.activeElement === document.body;

  function close(focus) {
    if (isClosed) return;
    isClosed = true;
    const givesBack = focus && isHere();
    form.remove();
    shown.hidden = false;
    closed(givesBack);
  }

  function submit(focus) {
    if (isClosed || input.readOnly) return;
    if (!isEdited(input)) return close(focus);
    const run = send(focus).finally(() => saving.delete(run));
    saving.add(run);
  }

  async function send(focus) {
    input.readOnly = true;
    let message = "";
    try {
      if (await save(input.value)) return close(focus);
    } catch (error) {
      message = problem(field, error.fields?.get(field) ?? error.message);
    }
    if (!form.isConnected) return message && tellFailure(`${labels[field]} of ${quoted(campaign.name)} not saved: ${message}`);
    input.readOnly = false;
    find(".error", form).textContent = message;
    input.ariaInvalid = message ? "true" : null;
    if (message) alert(message);
    if (!message || isHere()) input.focus();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(true);
  });
  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close(true);
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === input) {
      event.preventDefault();
      submit(true);
    }
  });
  const leave = () => {
    if (form.isConnected && document.hasFocus() && !form.contains(document.activeElement) && !find("dialog[open]")) submit(false);
  };
  // The new focus may be known only after the event. It stays in the editor when the window loses the focus.
  form.addEventListener("focusout", ({ relatedTarget: to }) => {
    if (to && !form.contains(to)) leave();
    else setTimeout(leave);
  });
  form.addEventListener("reset", () => close(false));
  find("[data-part=cancel]", form).addEventListener("click", () => close(true));

  shown.hidden = true;
  shown.after(form);
  input.focus();
  input.select();
}
