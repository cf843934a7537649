// The change history of a campaign: who changed what and when, and the earlier versions.

import { announce } from "./announcements.js";
import * as api from "./api.js";
import { changedFields, changesBetween, isolated, labels, readable } from "./campaign.js";
import { copyElement, find } from "./dom.js";
import { Latest } from "./latest.js";

const done = { insert: "Created", delete: "Deleted" };

/** Creates the history of a campaign. Calls `restore` with the version that the user wants to restore. */
export function campaignHistory(id, restore) {
  const loading = new Latest();
  const element = copyElement("history");
  const list = find("ol", element);
  const earlier = find("[data-action=earlier]", element);
  /** The shown changes by their ids: `{ element, version }`. */
  const shown = new Map();
  let now = null;
  let cursor = "";

  /** Adds the latest changes, given the campaign's current version, or `null` if it no longer exists. Changes already shown are kept. */
  async function show(campaign) {
    now = campaign;
    const page = await load("");
    if (!page) return;
    const added = page.changes.filter((change) => !shown.has(change.id));
    if (added.length === page.changes.length) {
      shown.clear();
      list.replaceChildren();
      cursor = page.next;
    }
    list.prepend(...added.map(add));
    showState();
  }

  async function showEarlier() {
    const page = await load(cursor);
    if (!page) return;
    cursor = page.next;
    const items = page.changes.map(add);
    list.append(...items);
    showState();
    if (items.length) find("summary", items[0]).focus();
    announce(`${items.length} earlier ${items.length === 1 ? "change" : "changes"}`);
  }

  /** Fetches a page of changes; `undefined` on an error, which is shown. */
  async function load(from) {
    tell("");
    try {
      return await loading.run((signal) => api.history(id, { cursor: from, signal }));
    } catch (error) {
      // If the campaign never existed, the view itself reports it.
      if (error.status !== 404) tell(`The history cannot be shown: ${error.message}`);
    }
  }

  function tell(text) {
    find(".alert", element).textContent = text;
    element.hidden = !text && shown.size === 0;
  }

  /** Offers to restore each version that differs from the current one. */
  function showState() {
    for (const { element, version } of shown.values()) {
      const button = find("button", element);
      button.textContent = now ? "Restore this version" : "Recreate this version";
      button.hidden = now !== null && Object.keys(changesBetween(now, version)).length === 0;
    }
    earlier.hidden = !cursor;
    element.hidden = shown.size === 0;
  }

  function add(change) {
    const element = copyElement("change");
    const version = change.after ?? change.before;
    const changed = changedFields(change);
    const names = changed.map(({ field }) => labels[field].toLowerCase()).join(", ");
    find(".what", element).textContent = change.operation === "update" ? `Changed: ${names || "nothing"}` : done[change.operation];
    find(".author", element).textContent = isolated(change.author ?? "somebody");
    find("relative-time", element).setAttribute("datetime", change.changed_on);
    find("dl", element).append(...changed.map(fieldElement));
    find("button", element).addEventListener("click", () => restore(version));
    shown.set(change.id, { element, version });
    return element;
  }

  function fieldElement({ field, from, to }) {
    const element = copyElement("changed");
    find("dt", element).textContent = labels[field];
    for (const [name, value] of [["del", from], ["ins", to]]) {
      const place = find(name, element);
      if (value === undefined) place.closest("dd").remove();
      else place.textContent = readable(field, value);
    }
    return element;
  }

  element.hidden = true;
  earlier.addEventListener("click", showEarlier);
  return { element, show, cancel: () => loading.cancel() };
}
