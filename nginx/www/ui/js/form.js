// The form of a campaign, for creating and for editing.

import { alert } from "./announcements.js";
import { changesBetween, fields, problem } from "./campaign.js";
import { mayDiscard } from "./dialogs.js";
import { setInitial, copyElement, find, isEdited } from "./dom.js";

/**
 * Creates a form with a campaign's values.
 * @param values the initial values; the form is dirty if it has others.
 * @param submit gets the values, and returns a promise. Its errors are shown, with the link in their property `way`. A second submission is
 *   ignored while the first one is in progress.
 */
export function campaignForm({ values, action, submit, cancel }) {
  const form = copyElement("form");
  const submitButton = find("[data-part=submit]", form);
  submitButton.textContent = action;
  fill(form, values);
  find("[data-part=cancel]", form).addEventListener("click", cancel);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave(event);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  const isDirty = () => Object.keys(changesBetween(values, valuesOf(form, values))).length > 0;
  const leave = async (event) => {
    event.preventDefault();
    if (!isDirty() || (await mayDiscard())) cancel();
  };
  // Read-only meanwhile, since further input would not be saved.
  const setBusy = (isBusy) => {
    form.ariaBusy = submitButton.ariaDisabled = isBusy ? "true" : null;
    form.elements.name.readOnly = form.elements.description.readOnly = isBusy;
  };
  form.elements.is_active.addEventListener("click", (event) => form.ariaBusy && event.preventDefault());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy) return;
    setBusy(true);
    showErrors(form, null);
    try {
      await submit(valuesOf(form, values));
    } catch (error) {
      showErrors(form, error);
    }
    setBusy(false);
  });
  return { element: form, isDirty };
}

function fill(form, values) {
  for (const field of ["name", "description"]) setInitial(form.elements[field], values[field]);
  form.elements.is_active.checked = values.is_active;
}

/** The values of the form. An unedited text is the initial one, not the one that the browser sanitized. */
function valuesOf(form, values) {
  const text = (field) => (isEdited(form.elements[field]) ? form.elements[field].value : values[field]);
  return { name: text("name"), description: text("description"), is_active: form.elements.is_active.checked };
}

/** Shows the service's errors beside their fields, and others above the form; focuses the first invalid field. */
function showErrors(form, error) {
  const told = fields.map((field) => [field, problem(field, error?.fields?.get(field) ?? "")]);
  for (const [field, text] of told) {
    find(`#${field}-error`, form).textContent = text;
    form.elements[field].ariaInvalid = text ? "true" : null;
  }
  const wrong = told.filter(([, text]) => text);
  find(".alert", form).replaceChildren(...(error && wrong.length === 0 ? [error.message, " ", error.way ?? ""] : []));
  if (wrong.length === 0) return;
  form.elements[wrong[0][0]].focus();
  alert(wrong.map(([, text]) => text).join(" "));
}
