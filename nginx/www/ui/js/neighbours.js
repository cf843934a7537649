// The previous and the next campaign, in the list that a campaign was opened from. No DOM.

import { pageSize } from "./api.js";

/**
 * Finds the states of the details views of a campaign's neighbours: `{ previous, next }`, each `null` if there is none.
 * @param list fetches a page of the list, as `api.list` does; empty pages are skipped.
 * @param before returns the cursor of the previous page, as `trail.before` does.
 */
export async function neighbours(state, list, before, signal) {
  const to = (row, cursor) => (row ? { ...state, id: String(row.id), cursor } : null);
  const page = (cursor, limit = pageSize) => list({ ...state, cursor }, { signal, limit, extra: { fields: "id" } });
  const { rows, next } = await page(state.cursor);
  const index = rows.findIndex((row) => String(row.id) === state.id);
  if (index < 0) return byID(state, list, to, signal);
  /** The first row found in the pages from a cursor on, in one direction. */
  async function nearest(cursor, at, following) {
    while (cursor || cursor === "") {
      const found = await page(cursor);
      if (found.rows.length) return to(found.rows.at(at), cursor);
      cursor = following(cursor, found.next);
    }
    return null;
  }
  return {
    previous: to(rows[index - 1], state.cursor) ?? (await nearest(before(state.cursor), -1, before)),
    next: to(rows[index + 1], state.cursor) ?? (next ? await nearest(next, 0, (_, next) => next || null) : null),
  };
}

/** For a campaign that is not on the page in its URL: the next newer and the next older one. */
async function byID(state, list, to, signal) {
  const first = async (sort, condition) => {
    const extra = { fields: "id", [condition]: state.id };
    return to((await list({ ...state, sort, cursor: "" }, { signal, extra })).rows[0], "");
  };
  return { previous: await first("id", "id[gt]"), next: await first("-id", "id[lt]") };
}
