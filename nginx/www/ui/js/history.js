// What has changed of a campaign: who did it, when, and how it was before.

import { announce } from "./announcements.js";
import * as api from "./api.js";
import { changedFields, changesBetween, isolated, labels, readable } from "./campaign.js";
import { copyElement, find } from "./dom.js";
import { Latest } from "./latest.js";

const done = { insert: "Created", delete: "Deleted" };

/** The history of a campaign; `putBack` is called with the version that somebody wants again. */
export function campaignHistory(id, putBack) {
  const loading = new Latest();
  const element = copyElement("history");
  const list = find("ol", element);
  const earlier = find("[data-action=earlier]", element);
  /** The changes that are shown, by their ids: `{ element, version }`. */
  const shown = new Map();
  let now = null;
  let cursor = "";

  /** Shows the latest changes of a campaign that is like this now; `null` when it is not there any more. What is shown already stays. */
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

  /** A page of changes; nothing when there is none, or it cannot be had. */
  async function load(from) {
    tell("");
    try {
      return await loading.run((signal) => api.history(id, { cursor: from, signal }));
    } catch (error) {
      // Of one that never was the page says so itself.
      if (error.status !== 404) tell(`The history cannot be shown: ${error.message}`);
    }
  }

  function tell(text) {
    find(".alert", element).textContent = text;
    element.hidden = !text && shown.size === 0;
  }

  /** Offers each version that the campaign does not have now. */
  function showState() {
    for (const { element, version } of shown.values()) {
      const button = find("button", element);
      button.textContent = now ? "Put this version back" : "Create it again like this";
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
    find("button", element).addEventListener("click", () => putBack(version));
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
