// Announcements for screen readers, in live regions.

import { find } from "./dom.js";

/** How long a text stays in the region, in milliseconds. Later texts are appended, so that none replaces one that has not been read yet. */
const lifetime = 7000;

function say(region, text) {
  const line = document.createElement("p");
  line.textContent = text;
  region.append(line);
  setTimeout(() => line.remove(), lifetime);
}

/** Announces a text politely: at the next pause. */
export const announce = (text) => say(find("#polite"), text);

/** Announces a text assertively: immediately. */
export const alert = (text) => say(find("#assertive"), text);
