// What a screen reader is told.

import { find } from "./dom.js";

/** So long, in milliseconds, a text stays: others come behind it, and none takes the place of one that is not read yet. */
const stay = 7000;

function say(region, text) {
  const line = document.createElement("p");
  line.textContent = text;
  region.append(line);
  setTimeout(() => line.remove(), stay);
}

/** Says something when there is a pause. */
export const announce = (text) => say(find("#polite"), text);

/** Says something at once. */
export const alert = (text) => say(find("#assertive"), text);
