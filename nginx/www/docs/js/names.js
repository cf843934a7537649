// Adds accessible names, which Swagger UI lacks, to its elements.

function addNames(place) {
  for (const select of place.querySelectorAll("[data-param-name] select:not([aria-label])")) {
    select.ariaLabel = select.closest("[data-param-name]").dataset.paramName;
  }
  for (const dialog of place.querySelectorAll(".modal-ux:not([role])")) {
    Object.assign(dialog, { role: "dialog", ariaModal: "true", ariaLabel: dialog.querySelector("h3").textContent });
  }
  for (const button of place.querySelectorAll(".close-modal:not([aria-label])")) button.ariaLabel = "Close";
  // Makes scrollable elements focusable, for scrolling with the keyboard.
  for (const code of place.querySelectorAll("pre.microlight:not([tabindex])")) code.tabIndex = 0;
  for (const responses of place.querySelectorAll("[role=region][id$=_responses]:not([aria-label])")) {
    responses.removeAttribute("aria-labelledby");
    responses.ariaLabel = `Responses: ${responses.id.replaceAll("_", " ")}`;
  }
}

/** Adds the names, also to elements that are opened later. */
export function keepNamed(place) {
  new MutationObserver(() => addNames(place)).observe(place, { childList: true, subtree: true });
}
