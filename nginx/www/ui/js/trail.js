// Which page comes before which. Cursors lead forward only, so each tab remembers the way that it went.

import { recall, remember } from "./storage.js";

/** Notes that a page, by its cursor, has a next one. */
export function note(cursor, next) {
  if (next) remember("sessionStorage", `before ${next}`, cursor);
}

/** The cursor of the page before this one, "" for the first; `null` when this tab did not come from there. */
export function before(cursor) {
  return cursor === "" ? null : recall("sessionStorage", `before ${cursor}`);
}
