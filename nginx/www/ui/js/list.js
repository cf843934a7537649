// The list view: the campaigns.

import { announce } from "./announcements.js";
import * as api from "./api.js";
import { leaving, removeAll, setActive } from "./bulk.js";
import { counted, labels, quoted } from "./campaign.js";
import { changed } from "./changes.js";
import { button, copy, copyElement, find, findAll, notice, setLink } from "./dom.js";
import { edit, saved, unsavedEditors } from "./editing.js";
import { exportAs } from "./exporting.js";
import { takeFirst } from "./first.js";
import { debounced, Latest } from "./latest.js";
import { go } from "./router.js";
import { Rows } from "./rows.js";
import { save } from "./saving.js";
import { Selection } from "./selection.js";
import { may } from "./session.js";
import { offerUndo, tell, tellFailure } from "./toasts.js";
import { before, note } from "./trail.js";
import { addressOf, defaults, sortedBy } from "./urlstate.js";

/** The debounce delay of the search field, in milliseconds. */
const typingPause = 200;
/** How long a response may take before placeholders are shown, in milliseconds. */
const skeletonPause = 80;
/** The retry interval after a temporary error, in milliseconds. */
const retryPause = 5000;

/**
 * Shows the view in `main`.
 * @param cameFrom the id of the campaign whose details were shown before, which gets the focus; `NaN` for another view, `null` for none.
 */
export function listView(main, initial, cameFrom) {
  let state = initial;
  let campaigns = [];
  let total = null;
  /** The state of the rows that are shown. */
  let listed = null;
  let searched = "";
  let isTypingOn = false;
  let retry;
  let waiting;
  const selection = new Selection();
  const [loading, counting] = [new Latest(), new Latest()];

  main.replaceChildren(copy("list"));
  document.title = "Campaigns · Aktify";
  const table = find("table", main);
  const rows = new Rows(find("tbody", table));
  const tools = find("form", main);
  const bulk = find("#dock").appendChild(copyElement("bulk"));

  // MARK: Loading

  async function load() {
    clearTimeout(retry);
    clearTimeout(waiting);
    table.ariaBusy = "true";
    if (campaigns.length === 0 && !find(".notice", main)) waiting = setTimeout(() => rows.showSkeleton(8), skeletonPause);
    try {
      const page = await loading.run((signal) => shownPage(signal));
      if (!page) return;
      clearTimeout(waiting);
      note(state.cursor, page.next);
      campaigns = [...page.rows, ...editedBesides(page.rows)].filter((campaign) => !leaving.has(campaign.id));
      listed = state;
      showPage(page.next);
      countAll();
    } catch (error) {
      clearTimeout(waiting);
      showError(error);
    }
    table.ariaBusy = null;
  }

  /** Fetches the page of the list, or the first later one that contains more than campaigns with a pending deletion. */
  async function shownPage(signal) {
    let page = await (takeFirst(state) ?? api.list(state, { signal }));
    while (page.next && page.rows.every((campaign) => leaving.has(campaign.id))) page = await api.list({ ...state, cursor: page.next }, { signal });
    return page;
  }

  /** Keeps rows with an open editor, even if they are no longer in the list. */
  function editedBesides(others) {
    const edited = unsavedEditors(table).map((editor) => rows.idAt(editor));
    return campaigns.filter(({ id }) => edited.includes(id) && !others.some((other) => other.id === id));
  }

  async function countAll() {
    const number = await counting.run((signal) => api.count(state, leaving, signal)).catch(() => null);
    if (number === undefined) return;
    total = number;
    showCount();
    if (total !== null) announce(counted(total));
  }

  function showCount() {
    find(".count", main).textContent = total?.toLocaleString("en") ?? "";
    find(".range", main).textContent = total === null ? "" : `${campaigns.length} of ${counted(total)}`;
  }

  function showPage(next) {
    selection.keep(campaigns.map((campaign) => campaign.id));
    const wasInNotice = document.activeElement.closest(".notice");
    show(campaigns.length ? null : emptyNotice(), campaigns.length);
    rows.show(campaigns, state, selection);
    showSelection();
    showCount();
    find(".pages", main).hidden = campaigns.length === 0 && !state.cursor;
    const previous = before(state.cursor);
    const to = (cursor) => addressOf({ ...state, cursor });
    setLink(find("[data-page=first]", main), state.cursor && to(""));
    setLink(find("[data-page=previous]", main), previous !== null && to(previous));
    setLink(find("[data-page=next]", main), next && to(next));
    const isFree = document.activeElement === document.body;
    if (cameFrom !== null && isFree && !rows.focus(cameFrom)) find("h1", main).focus();
    cameFrom = null;
    if (wasInNotice) find("h1", main).focus();
  }

  /** Shows a notice, in place of an empty table or above the rows. */
  function show(element, hasRows) {
    table.hidden = !hasRows;
    find("[data-part=notice]", main).replaceChildren(...(element ? [element] : []));
  }

  function emptyNotice() {
    if (state.cursor) {
      const previous = before(state.cursor);
      const way = button(previous === null ? "First page" : "Previous page", () => change({ cursor: previous ?? "" }), "button primary");
      return notice({ icon: "empty", title: "Nothing is left on this page", text: "There is more on the pages before it.", actions: [way] });
    }
    if (state.q || state.active) {
      return notice({ icon: "search", title: "Nothing found", text: "No campaign has this in its name and is in this state.", actions: [clearButton()] });
    }
    if (!may("editor")) return notice({ icon: "empty", title: "No campaigns yet", text: "Nobody has created one." });
    const create = button("New campaign", () => go({ ...state, view: "new" }), "button primary");
    return notice({ icon: "empty", title: "No campaigns yet", text: "Create the first one: all it needs is a name.", actions: [create] });
  }

  const clearButton = (style) => button("Clear the filter", () => go({ ...defaults, view: "list", sort: state.sort }), style);

  /** The action to offer after an error: to try again, unless the service rejected the query (422). */
  function wayOut(error) {
    if (error.status !== 422) return button("Try again", load, "button primary");
    return state.cursor ? button("Show the first page", () => change({}), "button primary") : clearButton("button primary");
  }

  /** Shows an error. The previous rows and their open editors are kept if they belong to the same state. */
  function showError(error) {
    if (listed !== state) {
      campaigns = [];
      rows.show([], state, selection);
      selection.keep([]);
      showSelection();
      find(".pages", main).hidden = true;
    }
    const title = `The campaigns cannot be ${campaigns.length ? "refreshed" : "shown"}`;
    const isKnown = find(".notice .request", main) !== null;
    const isFocused = document.activeElement.closest(".notice") || (campaigns.length === 0 && table.contains(document.activeElement));
    const way = wayOut(error);
    show(notice({ icon: "cloud", title, text: error.message, actions: [way], request: error.requestID }), campaigns.length);
    if (isFocused) way.focus();
    if (!isKnown) announce(`${title}. ${error.message}`);
    if (error.isTemporary) retry = setTimeout(load, retryPause);
  }

  // MARK: The filter, the order and the page

  function showTools() {
    const { q, active, sort } = tools.elements;
    // Does not overwrite the search field while the user types in it.
    if (state.q !== searched) q.value = searched = state.q;
    for (const choice of active) choice.checked = choice.value === state.active;
    sort.value = state.sort;
    for (const head of findAll("[data-sort]", table)) {
      const column = head.dataset.sort;
      const direction = { [column]: "ascending", [`-${column}`]: "descending" }[state.sort];
      head.closest("th").ariaSort = direction ?? null;
    }
    setLink(find("[data-part=new]", main), addressOf({ ...state, view: "new" }));
  }

  const change = (part, options) => go({ ...state, cursor: "", ...part }, options);

  /** Consecutive edits of the search share one entry of the browser history. */
  const search = debounced(() => {
    const q = tools.elements.q.value;
    if (q === state.q) return;
    searched = q;
    change({ q }, { replaces: isTypingOn });
    isTypingOn = true;
  }, typingPause);

  tools.elements.q.addEventListener("input", search);
  tools.elements.q.addEventListener("blur", () => (isTypingOn = false));
  tools.elements.q.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (event.target.value === "") return event.target.blur();
    event.target.value = "";
    search();
  });
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("change", (event) => {
    if (["active", "sort"].includes(event.target.name)) change({ [event.target.name]: event.target.value }).then(showTools);
  });
  find("thead", table).addEventListener("click", (event) => {
    const column = event.target.closest("[data-sort]")?.dataset.sort;
    if (column) change({ sort: sortedBy(column, state.sort) });
  });
  find(".export", tools).addEventListener("click", (event) => {
    const format = event.target.closest("[data-format]")?.dataset.format;
    if (format) exportAs(format, state);
  });

  // MARK: Selection

  const order = () => campaigns.map((campaign) => campaign.id);
  const selected = () => campaigns.filter((campaign) => selection.has(campaign.id));

  function showSelection() {
    rows.showSelection(selection);
    const all = find("thead input", table);
    all.checked = campaigns.length > 0 && selection.size === campaigns.length;
    all.indeterminate = selection.size > 0 && !all.checked;
    bulk.hidden = selection.size === 0;
    find(".number", bulk).textContent = `${selection.size} selected`;
  }

  function select(id, isRange) {
    if (isRange) selection.extend(id, order());
    else selection.toggle(id);
    showSelection();
    announce(`${selection.size} selected`);
  }

  function clearSelection() {
    if (selection.size === 0) return false;
    selection.setAll(order(), false);
    showSelection();
    return true;
  }

  find("thead input", table).addEventListener("change", (event) => {
    selection.setAll(order(), event.target.checked);
    showSelection();
    announce(`${selection.size} selected`);
  });

  const bulkActions = {
    activate: (chosen) => setActive(chosen, true),
    deactivate: (chosen) => setActive(chosen, false),
    delete: removeAll,
    clear: () => {},
  };

  bulk.addEventListener("click", (event) => {
    const act = bulkActions[event.target.closest("[data-action]")?.dataset.action];
    if (!act) return;
    const chosen = selected();
    clearSelection();
    find("h1", main).focus();
    act(chosen);
  });

  // MARK: Rows

  find("tbody", table).addEventListener("click", (event) => {
    const id = rows.idAt(event.target);
    if (id === undefined) return;
    if (event.target.matches(".select input")) select(id, event.shiftKey);
    else if (event.target.closest(".pencil")) editField(id, "name");
    else if (event.target.closest(".text")) editField(id, "description");
    else if (event.target.closest(".switch")) toggle(id);
  });

  const campaignOf = (id) => campaigns.find((campaign) => campaign.id === id);

  /** Updates the row of a campaign in place. */
  function replace(campaign) {
    campaigns = campaigns.map((one) => (one.id === campaign.id ? campaign : one));
    rows.show(campaigns, state, selection);
  }

  function editField(id, field) {
    const campaign = campaignOf(id);
    const cell = find(`.${field}`, rows.element(id));
    const shown = find(".shown", cell);
    if (shown.hidden) return;
    let opening = api.read(id);
    opening.catch(() => {}); // repeated when the change is saved
    edit({
      shown,
      field,
      campaign,
      closed: (focus) => focus && find(field === "name" ? "a" : ".text", cell).focus(),
      save: async (value) => {
        const opened = await opening.catch(() => (opening = api.read(id)));
        const mine = { ...opened.campaign, [field]: field === "name" ? value.trim() : value };
        const made = await save(opened, mine, campaign);
        if (!made) return false;
        replace(made.campaign);
        offerRestoring(made);
        return true;
      },
    });
  }

  async function toggle(id) {
    const element = find(".switch", rows.element(id));
    if (element.ariaBusy) return;
    element.ariaBusy = "true";
    const { name, is_active: wasActive } = campaignOf(id);
    try {
      const opened = await api.read(id);
      if (opened.campaign.is_active !== wasActive) {
        replace(opened.campaign);
        tell(`Somebody else has ${wasActive ? "deactivated" : "activated"} it already.`);
      } else {
        const made = await api.change(id, { is_active: !wasActive }, opened.etag);
        replace(made.campaign);
        offerRestoring({ ...made, replaced: { is_active: wasActive } });
      }
    } catch (error) {
      tellFailure(error.of(quoted(name), "changed"));
      if (error.isUnknown) load();
    }
    element.ariaBusy = null;
  }

  /** Offers to undo a change by restoring the replaced values, if any. */
  function offerRestoring({ campaign, etag, replaced }) {
    const [field] = Object.keys(replaced);
    if (!field) return;
    offerUndo({
      text: field === "is_active" ? `${quoted(campaign.name)} ${campaign.is_active ? "activated" : "deactivated"}.` : `${labels[field]} changed.`,
      undo: async () => {
        await api.change(campaign.id, replaced, etag);
        changed();
      },
    });
  }

  // MARK: Keys

  let lastID;
  table.addEventListener("focusin", (event) => (lastID = rows.idAt(event.target) ?? lastID));

  const currentID = () => rows.idAt(document.activeElement);

  function move(step) {
    const ids = order();
    const from = ids.indexOf(currentID() ?? lastID);
    const to = from < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, currentID() === undefined ? from : from + step));
    return rows.focus(ids[to]);
  }

  /** Runs an action on the focused row, if any. */
  const here = (act) => () => (currentID() === undefined ? false : void act(currentID()));

  load();
  showTools();
  return {
    update: (next) => {
      const isOtherList = next.q !== state.q || next.active !== state.active;
      const isOtherPage = next.cursor !== state.cursor;
      state = next;
      if (isOtherList) total = null;
      // The user has been asked for confirmation.
      for (const editor of unsavedEditors(main)) editor.reset();
      clearSelection();
      showTools();
      if (isOtherPage && !isOtherList) find("h1", main).focus();
      load();
    },
    reload: load,
    saved,
    isDirty: () => unsavedEditors(main).length > 0,
    leave: () => {
      clearTimeout(retry);
      search.cancel();
      loading.cancel();
      counting.cancel();
      bulk.remove();
    },
    commands: {
      search: () => tools.elements.q.select(),
      next: () => move(1),
      previous: () => move(-1),
      select: here((id) => select(id, false)),
      extend: here((id) => select(id, true)),
      edit: here((id) => editField(id, "name")),
      cancel: clearSelection,
    },
  };
}
