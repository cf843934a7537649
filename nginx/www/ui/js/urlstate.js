// What the page shows, as its address says it, and back. No DOM.

/** The list as it is when the address says nothing. */
export const defaults = { q: "", active: "", sort: "-created_on", cursor: "" };

/** No name is longer, nor any search that the API takes; and the address stays short enough to be opened. */
const longestSearch = 255;

const sorts = ["id", "name", "created_on", "updated_on"].flatMap((name) => [name, `-${name}`]);

const oneOf = (choices, value, otherwise) => (choices.includes(value) ? value : otherwise);

/** Reads an address: `{ view, id, q, active, sort, cursor }`; what it does not know becomes the default. */
export function parseAddress({ pathname, search }) {
  const given = new URLSearchParams(search);
  const list = {
    q: (given.get("q") ?? defaults.q).slice(0, longestSearch),
    active: oneOf(["true", "false"], given.get("active"), defaults.active),
    sort: oneOf(sorts, given.get("sort"), defaults.sort),
    cursor: given.get("cursor") ?? defaults.cursor,
  };
  const id = /^\/ui\/campaigns\/(\d+)$/.exec(pathname)?.[1];
  if (id) return { view: "details", id, ...list };
  return { view: pathname === "/ui/new" ? "new" : "list", ...list };
}

/** The address of a state: only what differs from the default stands in its query. */
export function addressOf({ view, id, ...list }) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(defaults)) {
    if ((list[name] ?? value) !== value) query.set(name, list[name]);
  }
  const path = { list: "/ui/", new: "/ui/new", details: `/ui/campaigns/${id}` }[view];
  return query.size ? `${path}?${query}` : path;
}

/** The filter of a state, as the API's query has it. */
export function filterOf({ q, active }) {
  const query = new URLSearchParams();
  if (q.trim()) query.set("q", q.trim());
  if (active) query.set("is_active", active);
  return query;
}

/** What a click on a column's head sorts by: names rise first, times and ids fall first; again turns it round. */
export function sortedBy(column, sort) {
  if (sort === column) return `-${column}`;
  if (sort === `-${column}`) return column;
  return column === "name" ? column : `-${column}`;
}
