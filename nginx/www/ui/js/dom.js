// DOM helpers.

/** The first element that matches a selector. */
export const find = (selector, root = document) => root.querySelector(selector);

/** All elements that match a selector. */
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

/** A copy of a template, as a document fragment. */
export const copy = (name) => find(`template#${name}`).content.cloneNode(true);

/** A copy of a template's only element. */
export const copyElement = (name) => copy(name).firstElementChild;

/** Sets the target of a link; without one, the link is disabled. */
export function setLink(link, href) {
  if (href) link.href = href;
  else link.removeAttribute("href");
  link.ariaDisabled = href ? null : "true";
  if (!href) link.role = "link";
  else link.removeAttribute("role");
}

/** A notice in place of missing content: a title, an explanation, and possible actions. */
export function notice({ icon, title, text, actions = [], request = "" }) {
  const element = copyElement("notice");
  find("use", element).setAttribute("href", `#icon-${icon}`);
  find("h2", element).textContent = title;
  find("p", element).textContent = text;
  find(".actions", element).append(...actions);
  find(".request", element).textContent = request && `Request ${request}`;
  return element;
}

/** Creates a button. */
export function button(text, act, style = "button") {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", className: style, textContent: text });
  element.addEventListener("click", act);
  return element;
}

/** Sets the initial value of a control. Its `defaultValue` becomes the value as the browser sanitizes it (line breaks), for `isEdited`. */
export function setInitial(control, value) {
  control.defaultValue = value;
  control.defaultValue = control.value;
}

/** Whether the value of a control differs from its initial one. */
export const isEdited = (control) => control.value !== control.defaultValue;
