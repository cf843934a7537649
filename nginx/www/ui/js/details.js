// The details view: a single campaign.

import { announce } from "./announcements.js";
import * as api from "./api.js";
import { leaving } from "./bulk.js";
import { changesBetween, contents, isolated, quoted, visible } from "./campaign.js";
import { button, copy, copyElement, find, findAll, notice, setLink } from "./dom.js";
import { confirmed } from "./dialogs.js";
import { campaignForm } from "./form.js";
import { campaignHistory } from "./history.js";
import { KeyKeeper } from "./idempotency.js";
import { Latest } from "./latest.js";
import { neighbours } from "./neighbours.js";
import { go } from "./router.js";
import { save } from "./saving.js";
import { exact } from "./time.js";
import { tellFailure } from "./toasts.js";
import { before } from "./trail.js";
import { addressOf } from "./urlstate.js";

/** Shows the view in `main`. */
export function detailsView(main, state) {
  const loading = new Latest();
  const finding = new Latest();
  let opened = null;
  let form = null;
  let toggling = null;
  let isCreating = false;
  const ways = { previous: null, next: null };
  const keys = new KeyKeeper();
  const history = campaignHistory(state.id, restore);

  main.replaceChildren(copy("details"));
  document.title = `Campaign ${state.id} · Aktify`;
  const card = find(".card", main);
  const past = find("[data-part=history]", main);
  past.append(history.element);
  /** Whether the view is still shown. An action that finishes later must not touch the next one. */
  const isShown = () => card.isConnected;
  setLink(find(".back", main), addressOf({ ...state, view: "list" }));
  const showWays = () => {
    for (const link of findAll("[data-way]", main)) setLink(link, ways[link.dataset.way] && addressOf(ways[link.dataset.way]));
  };
  showWays();

  async function load({ isFirst = false } = {}) {
    try {
      const answer = await loading.run((signal) => api.read(state.id, signal));
      // An open form is kept: saving it detects changes by others.
      if (!answer || form) return;
      opened = answer;
      showCampaign();
      if (isFirst) find("h1", card).focus();
    } catch (error) {
      showError(error);
    }
  }

  /** A page of the list, without campaigns whose deletion is pending. */
  async function listed(...query) {
    const { rows, next } = await api.list(...query);
    return { rows: rows.filter(({ id }) => !leaving.has(id) || String(id) === state.id), next };
  }

  async function findNeighbours() {
    // The neighbours are optional, so errors are ignored.
    Object.assign(ways, await finding.run((signal) => neighbours(state, listed, before, signal)).catch(() => null));
    showWays();
  }

  function showError(error) {
    const isGone = error.status === 404;
    past.hidden = !isGone;
    if (isGone) {
      opened = null;
      history.show(null);
    }
    const again = button("Try again", () => load({ isFirst: true }), "button primary");
    card.replaceChildren(
      notice({
        icon: isGone ? "empty" : "cloud",
        title: isGone ? "Campaign not found" : "The campaign cannot be shown",
        text: isGone ? "It was deleted, or never existed." : error.message,
        actions: isGone ? [] : [again],
        request: isGone ? "" : error.requestID,
      }),
    );
    document.title = `${find("h2", card).textContent} · Aktify`;
    announce(find("h2", card).textContent);
  }

  const isLeaving = () => leaving.has(opened?.campaign.id);

  function makeElement() {
    const element = copyElement("campaign");
    element.addEventListener("click", (event) => actions[event.target.closest("[data-action]")?.dataset.action]?.());
    card.replaceChildren(element);
    return element;
  }

  /** Shows the current version, reusing the elements, so that the focus is kept. */
  function showCampaign() {
    form = null;
    const { campaign } = opened;
    const element = find(".details", card) ?? makeElement();
    find("h1", element).textContent = visible(campaign.name);
    const status = find(".status", element);
    status.textContent = isLeaving() ? "Being deleted" : campaign.is_active ? "Active" : "Inactive";
    status.classList.toggle("on", campaign.is_active && !isLeaving());
    const description = find(".description", element);
    description.textContent = campaign.description || "No description.";
    description.classList.toggle("soft", !campaign.description);
    find("[data-part=id]", element).textContent = campaign.id;
    for (const field of ["created_on", "updated_on"]) {
      const time = document.createElement("relative-time");
      time.setAttribute("datetime", campaign[field]);
      const small = document.createElement("small");
      small.textContent = exact(new Date(campaign[field]));
      find(`[data-part=${field}]`, element).replaceChildren(time, small);
    }
    find("[data-action=toggle]", element).textContent = campaign.is_active ? "Deactivate" : "Activate";
    const focused = document.activeElement;
    for (const one of findAll("[data-action]", element)) one.hidden = (one.dataset.action === "keep") !== isLeaving();
    if (element.contains(focused) && focused.hidden) find("h1", element).focus();
    tell("");
    document.title = `${isolated(campaign.name)} · Aktify`;
    past.hidden = false;
    history.show(campaign);
  }

  const tell = (text) => (find(".alert", card).textContent = text);

  const actions = {
    edit() {
      if (!opened || form || isLeaving()) return false;
      const values = opened.campaign;
      form = campaignForm({ values, action: "Save", cancel: stopEditing, submit: (edited) => saveChange(values, edited) });
      const title = document.createElement("h1");
      title.textContent = "Edit campaign";
      title.className = "title";
      card.replaceChildren(title, form.element);
      past.hidden = true;
      find("#name", card).focus();
    },

    async toggle() {
      await toggling;
      toggling = saveAs({ is_active: !opened.campaign.is_active });
    },

    keep: () => leaving.get(opened.campaign.id)?.(),

    async delete() {
      const { campaign, etag } = opened;
      const text = "It is deleted for everybody. This cannot be undone.";
      if (!(await confirmed({ title: `Delete “${isolated(campaign.name)}”?`, text, action: "Delete" }))) return;
      try {
        await api.remove(campaign.id, etag);
        announce(`${campaign.name} is deleted.`);
        if (isShown()) await go({ ...state, view: "list" });
      } catch (error) {
        if (!isShown()) return tellFailure(`“${isolated(campaign.name)}” is not deleted: ${error.message}`);
        if (error.status === 404) return showError(error);
        if (error.status === 412) await load();
        tell(error.status === 412 ? "Somebody else has changed it meanwhile: this is the current version. It was not deleted." : error.message);
      }
    },
  };

  /** Saves the shown version with a change. Resolves to whether it was saved. */
  async function saveAs(change) {
    try {
      const saved = await save(opened, { ...opened.campaign, ...change });
      if (!saved || !isShown()) return false;
      opened = saved;
      if (!form) showCampaign();
      announce("Saved.");
      return true;
    } catch (error) {
      if (!isShown()) tellFailure(`“${isolated(opened.campaign.name)}” is not changed: ${error.message}`);
      else if (error.status === 404) showError(error);
      else tell(error.message);
      return false;
    }
  }

  /** Restores an earlier version. A campaign that no longer exists is created again. */
  async function restore(version) {
    await toggling;
    if (!opened) return createAgain(version);
    actions.keep();
    toggling = saveAs(contents(version));
    if (await toggling) find("h1", card)?.focus();
  }

  async function createAgain(version) {
    if (isCreating) return;
    isCreating = true;
    const body = JSON.stringify(contents(version));
    try {
      const campaign = await api.create(body, keys.keyFor(body));
      announce(`${campaign.name} is created again.`);
      if (isShown()) await go({ ...state, id: String(campaign.id), cursor: "" }, { replaces: true });
    } catch (error) {
      tellFailure(error.of(quoted(version.name), "created"));
    }
    isCreating = false;
  }

  /** Saves the fields that differ from the form's initial values. Cancels a pending deletion. */
  async function saveChange(values, edited) {
    await toggling;
    actions.keep();
    const change = changesBetween(values, { ...edited, name: edited.name.trim() });
    const saved = await save(opened, { ...opened.campaign, ...change });
    if (!saved || !isShown()) return;
    opened = saved;
    stopEditing();
    announce("Saved.");
  }

  function stopEditing() {
    showCampaign();
    find("[data-action=edit]", card).focus();
  }

  load({ isFirst: true });
  const found = findNeighbours();

  /** Goes to a neighbour, as soon as it has been loaded. */
  async function follow(way) {
    await found;
    if (ways[way]) go(ways[way]);
  }

  find(".neighbours", main).addEventListener("click", (event) => {
    const link = event.target.closest("[data-way]:not([href])");
    if (link) follow(link.dataset.way);
  });
  return {
    leave: () => {
      loading.cancel();
      finding.cancel();
      history.cancel();
    },
    isDirty: () => form?.isDirty() ?? false,
    reload: () => form || load(),
    commands: { edit: actions.edit, next: () => follow("next"), previous: () => follow("previous") },
  };
}
