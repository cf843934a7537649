// Small helpers for the document.

/** The one element that a selector names. */
export const find = (selector, root = document) => root.querySelector(selector);

/** All elements that a selector names. */
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

/** A copy of a template: its elements, as a fragment. */
export const copy = (name) => find(`template#${name}`).content.cloneNode(true);

/** A copy of a template that has one element. */
export const copyElement = (name) => copy(name).firstElementChild;

/** Makes something a link, or one that leads nowhere. */
export function setLink(link, href) {
  if (href) link.href = href;
  else link.removeAttribute("href");
  link.ariaDisabled = href ? null : "true";
  if (!href) link.role = "link";
  else link.removeAttribute("role");
}

/** A notice in place of something: what, why, and what can be done. */
export function notice({ icon, title, text, actions = [], request = "" }) {
  const element = copyElement("notice");
  find("use", element).setAttribute("href", `#icon-${icon}`);
  find("h2", element).textContent = title;
  find("p", element).textContent = text;
  find(".actions", element).append(...actions);
  find(".request", element).textContent = request && `Request ${request}`;
  return element;
}

/** A button that does something. */
export function button(text, act, style = "button") {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", className: style, textContent: text });
  element.addEventListener("click", act);
  return element;
}

/** Gives a control its first value; its `defaultValue` is what the browser makes of it: none has a "\r", nor two lines in one. */
export function begin(control, value) {
  control.defaultValue = value;
  control.defaultValue = control.value;
}

/** Whether somebody changed what a control began with. */
export const isEdited = (control) => control.value !== control.defaultValue;
