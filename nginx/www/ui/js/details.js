// The page of one campaign.

import { announce } from "./announcements.js";
import * as api from "./api.js";
import { button, copy, copyElement, find, findAll, notice, setLink } from "./dom.js";
import { confirmed } from "./dialogs.js";
import { campaignForm } from "./form.js";
import { Latest } from "./latest.js";
import { neighbours } from "./neighbours.js";
import { go } from "./router.js";
import { save } from "./saving.js";
import { exact } from "./time.js";
import { tellFailure } from "./toasts.js";
import { before } from "./trail.js";
import { addressOf } from "./urlstate.js";

/** Shows it in `main`. */
export function detailsView(main, state) {
  const loading = new Latest();
  const finding = new Latest();
  let opened = null;
  let form = null;
  const ways = { previous: null, next: null };

  main.replaceChildren(copy("details"));
  document.title = `Campaign ${state.id} · Aktify`;
  const card = find(".card", main);
  /** What ends when another page is shown leaves that alone. */
  const isShown = () => card.isConnected;
  setLink(find(".back", main), addressOf({ ...state, view: "list" }));
  const showWays = () => {
    for (const link of findAll("[data-way]", main)) setLink(link, ways[link.dataset.way] && addressOf(ways[link.dataset.way]));
  };
  showWays();

  async function load({ isFirst = false } = {}) {
    try {
      const answer = await loading.run((signal) => api.read(state.id, signal));
      if (!answer) return;
      opened = answer;
      showCampaign();
      if (isFirst) find("h1", card).focus();
    } catch (error) {
      showError(error);
    }
  }

  async function findNeighbours() {
    // Without them the page is as useful: it says nothing when they cannot be had.
    Object.assign(ways, await finding.run((signal) => neighbours(state, api.list, before, signal)).catch(() => null));
    showWays();
  }

  function showError(error) {
    const isGone = error.status === 404;
    const again = button("Try again", () => load({ isFirst: true }), "button primary");
    card.replaceChildren(
      notice({
        icon: isGone ? "empty" : "cloud",
        title: isGone ? "There is no such campaign" : "The campaign cannot be shown",
        text: isGone ? "It was deleted, or never there." : error.message,
        actions: isGone ? [] : [again],
        request: isGone ? "" : error.requestID,
      }),
    );
    document.title = `${find("h2", card).textContent} · Aktify`;
    announce(find("h2", card).textContent);
  }

  function showCampaign() {
    form = null;
    const { campaign } = opened;
    const element = copyElement("campaign");
    find("h1", element).textContent = campaign.name;
    const status = find(".status", element);
    status.textContent = campaign.is_active ? "Active" : "Inactive";
    status.classList.toggle("on", campaign.is_active);
    const description = find(".description", element);
    description.textContent = campaign.description || "No description.";
    description.classList.toggle("soft", !campaign.description);
    find("[data-part=id]", element).textContent = campaign.id;
    for (const field of ["created_on", "updated_on"]) {
      const time = document.createElement("relative-time");
      time.setAttribute("datetime", campaign[field]);
      const small = document.createElement("small");
      small.textContent = exact(new Date(campaign[field]));
      find(`[data-part=${field}]`, element).append(time, small);
    }
    find("[data-action=toggle]", element).textContent = campaign.is_active ? "Deactivate" : "Activate";
    element.addEventListener("click", (event) => actions[event.target.closest("[data-action]")?.dataset.action]?.());
    card.replaceChildren(element);
    document.title = `${campaign.name} · Aktify`;
  }

  const tell = (text) => (find(".alert", card).textContent = text);

  const actions = {
    edit() {
      if (!opened || form) return false;
      form = campaignForm({ values: opened.campaign, action: "Save", cancel: stopEditing, submit: saveChange });
      const title = document.createElement("h1");
      title.textContent = "Edit campaign";
      title.className = "title";
      card.replaceChildren(title, form.element);
      find("#name", card).focus();
    },

    async toggle() {
      try {
        await finish(await save(opened, { ...opened.campaign, is_active: !opened.campaign.is_active }), "toggle");
      } catch (error) {
        if (isShown()) tell(error.message);
        else tellFailure(`“${opened.campaign.name}” is not changed: ${error.message}`);
      }
    },

    async delete() {
      const { campaign, etag } = opened;
      const text = "It is gone for everybody, and this cannot be undone.";
      if (!(await confirmed({ title: `Delete “${campaign.name}”?`, text, action: "Delete" }))) return;
      try {
        await api.remove(campaign.id, etag);
        announce(`${campaign.name} is deleted.`);
        if (isShown()) await go({ ...state, view: "list" });
      } catch (error) {
        if (!isShown()) return tellFailure(`“${campaign.name}” is not deleted: ${error.message}`);
        if (error.status === 404) return showError(error);
        if (error.status === 412) await load();
        tell(error.status === 412 ? "Somebody else changed it meanwhile: this is how it is now. It is not deleted." : error.message);
      }
    },
  };

  async function saveChange(values) {
    await finish(await save(opened, { ...opened.campaign, ...values, name: values.name.trim() }), "edit");
  }

  /** Shows what was saved, and gives the focus back to the button that began it. */
  async function finish(saved, action) {
    if (!saved || !isShown()) return;
    opened = saved;
    showCampaign();
    find(`[data-action=${action}]`, card).focus();
    announce("Saved.");
  }

  function stopEditing() {
    showCampaign();
    find("[data-action=edit]", card).focus();
  }

  load({ isFirst: true });
  const found = findNeighbours();

  /** Goes to a neighbour, as soon as it is known. */
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
    },
    isDirty: () => form?.isDirty() ?? false,
    reload: () => form || load(),
    commands: { edit: actions.edit, next: () => follow("next"), previous: () => follow("previous") },
  };
}
