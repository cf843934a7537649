// A value of the list that is edited where it stands.

import { alert } from "./announcements.js";
import { labels, problem } from "./campaign.js";
import { copyElement, find } from "./dom.js";

/**
 * Puts an editor in the place of what a cell shows. Enter, or leaving it, saves; Escape cancels.
 * @param save gets the new value, and returns a promise of whether it is saved; errors are told beside the field.
 * @param closed is called when the editor is gone, with whether to give the focus back.
 */
export function edit({ shown, field, value, save, closed }) {
  const form = copyElement("editor");
  const isLong = field === "description";
  const input = document.createElement(isLong ? "textarea" : "input");
  if (isLong) input.rows = 1;
  else input.type = "text";
  input.value = value;
  input.ariaLabel = labels[field];
  input.setAttribute("aria-describedby", "editor-error");
  find("div", form).prepend(input);
  let state = "editing"; // then saving, and editing again or closed

  function close(focus) {
    if (state === "closed") return;
    state = "closed";
    form.remove();
    shown.hidden = false;
    closed(focus);
  }

  async function submit(focus) {
    if (state !== "editing") return;
    if (input.value === value) return close(focus);
    state = "saving";
    let told = "";
    try {
      if (await save(input.value)) return close(focus);
    } catch (error) {
      told = problem(field, error.fields?.get(field) ?? error.message);
    }
    state = "editing";
    find(".error", form).textContent = told;
    input.ariaInvalid = told ? "true" : null;
    if (told) alert(told);
    input.focus();
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
  // Where the focus goes is known a moment later; it stays in here when another window is looked at.
  form.addEventListener("focusout", () =>
    setTimeout(() => {
      if (document.hasFocus() && !form.contains(document.activeElement)) submit(false);
    }),
  );
  find("[data-part=cancel]", form).addEventListener("click", () => close(true));

  shown.hidden = true;
  shown.after(form);
  input.focus();
  input.select();
}
