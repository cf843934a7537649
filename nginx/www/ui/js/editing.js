// A value of the list that is edited where it stands.

import { alert } from "./announcements.js";
import { labels, problem, quoted } from "./campaign.js";
import { begin, copyElement, find, findAll, isEdited } from "./dom.js";
import { tellFailure } from "./toasts.js";

/** The editors within something that have a text which is not saved; to reset one is to cancel it. */
export const unsavedEditors = (root) => findAll(".inline", root).filter(({ elements: [input] }) => isEdited(input));

const saving = new Set();

/** Waits for what is being saved, and while a question about it is open; otherwise not for long. */
export const saved = () => Promise.race([Promise.all(saving), patience()]);

async function patience() {
  do await new Promise((resolve) => setTimeout(resolve, 1000));
  while (saving.size && find("dialog[open]"));
}

/**
 * Puts an editor in the place of what a cell shows. Enter, or leaving it, saves; Escape cancels.
 * @param save gets the new value, and returns a promise of whether it is saved; errors are told beside the field.
 * @param closed is called when the editor is gone, with whether to give the focus back.
 */
export function edit({ shown, field, campaign, save, closed }) {
  const form = copyElement("editor");
  const isLong = field === "description";
  const input = document.createElement(isLong ? "textarea" : "input");
  if (isLong) input.rows = 1;
  else input.type = "text";
  begin(input, campaign[field]);
  input.ariaLabel = labels[field];
  input.setAttribute("aria-describedby", "editor-error");
  find("div", form).prepend(input);
  let isClosed = false;
  /** Nobody went on to something else. */
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
    let told = "";
    try {
      if (await save(input.value)) return close(focus);
    } catch (error) {
      told = problem(field, error.fields?.get(field) ?? error.message);
    }
    if (!form.isConnected) return told && tellFailure(`${labels[field]} of ${quoted(campaign.name)} not saved: ${told}`);
    input.readOnly = false;
    find(".error", form).textContent = told;
    input.ariaInvalid = told ? "true" : null;
    if (told) alert(told);
    if (!told || isHere()) input.focus();
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
  // Where the focus goes may be known a moment later; it stays in here when another window is looked at.
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
