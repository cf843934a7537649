// Conversion between the page's state and its URL. No DOM.

/** The state of the list without a query string. */
export const defaults = { q: "", active: "", sort: "-created_on", cursor: "" };

/** The maximum length of a search, which is that of a name and of what the API accepts. It also limits the length of URLs. */
const longestSearch = 255;

const sorts = ["id", "name", "created_on", "updated_on"].flatMap((name) => [name, `-${name}`]);

const oneOf = (choices, value, otherwise) => (choices.includes(value) ? value : otherwise);

/** Parses a URL: `{ view, id, q, active, sort, cursor }`; unknown values become the defaults. */
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

/** The URL of a state; its query contains only what differs from the defaults. */
export function addressOf({ view, id, ...list }) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(defaults)) {
    if ((list[name] ?? value) !== value) query.set(name, list[name]);
  }
  const path = { list: "/ui/", new: "/ui/new", details: `/ui/campaigns/${id}` }[view];
  return query.size ? `${path}?${query}` : path;
}

/** The filter of a state, as query parameters of the API. */
export function filterOf({ q, active }) {
  const query = new URLSearchParams();
  if (q.trim()) query.set("q", q.trim());
  if (active) query.set("is_active", active);
  return query;
}

/** The sort order after a click on a column header: ascending first for names, descending first for times and ids; a second click reverses it. */
export function sortedBy(column, sort) {
  if (sort === column) return `-${column}`;
  if (sort === `-${column}`) return column;
  return column === "name" ? column : `-${column}`;
}
