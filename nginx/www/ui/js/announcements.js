// What a screen reader is told.

import { find } from "./dom.js";

function say(region, text) {
  // The same text again is a change only when the region was empty in between.
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50);
}

/** Says something when there is a pause. */
export const announce = (text) => say(find("#polite"), text);

/** Says something at once. */
export const alert = (text) => say(find("#assertive"), text);
