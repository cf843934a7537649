// The previous page of each page. Cursors only lead forward, so each tab remembers the pages that it has visited.

import { recall, remember } from "./storage.js";

/** Records that the page with a cursor is followed by another one. */
export function note(cursor, next) {
  if (next) remember("sessionStorage", `before ${next}`, cursor);
}

/** The cursor of the page before this one, "" for the first page; `null` if it is unknown to this tab. */
export function before(cursor) {
  return cursor === "" ? null : recall("sessionStorage", `before ${cursor}`);
}
