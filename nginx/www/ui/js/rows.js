// The rows of the list.

import { isolated, readable, visible } from "./campaign.js";
import { copyElement, find } from "./dom.js";
import { may } from "./session.js";
import { addressOf } from "./urlstate.js";

/** Shows campaigns in a table body. A row whose campaign is still listed keeps its element, with the focus and an open editor. */
export class Rows {
  #body;
  #elements = new Map();

  constructor(body) {
    this.#body = body;
  }

  /** Shows these campaigns, of a list's state. */
  show(campaigns, state, selection) {
    const focused = document.activeElement;
    const elements = campaigns.map((campaign) => {
      const element = this.#elements.get(campaign.id) ?? copyElement("row");
      fill(element, campaign, addressOf({ ...state, view: "details", id: campaign.id }));
      return [campaign.id, element];
    });
    this.#elements = new Map(elements);
    this.#body.replaceChildren(...this.#elements.values());
    this.showSelection(selection);
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  /** Shows placeholders while the rows are loading. */
  showSkeleton(count) {
    this.#elements.clear();
    this.#body.replaceChildren(...Array.from({ length: count }, () => copyElement("skeleton")));
  }

  showSelection(selection) {
    for (const [id, element] of this.#elements) {
      element.toggleAttribute("data-selected", selection.has(id));
      find(".select input", element).checked = selection.has(id);
    }
  }

  /** The row of a campaign. */
  element(id) {
    return this.#elements.get(id);
  }

  /** The campaign in whose row an element is; `undefined` outside of all rows. */
  idAt(element) {
    const row = element?.closest?.("tr");
    return row ? [...this.#elements].find(([, one]) => one === row)?.[0] : undefined;
  }

  /** Focuses the name of a campaign. Returns whether it is listed. */
  focus(id) {
    const link = this.#elements.get(id)?.querySelector(".name a");
    link?.focus();
    link?.scrollIntoView({ block: "nearest" });
    return Boolean(link);
  }
}

function fill(element, campaign, address) {
  const name = isolated(campaign.name);
  element.dataset.id = campaign.id;
  find(".id", element).textContent = campaign.id;
  find(".select input", element).ariaLabel = `Select ${name}`;
  const link = find(".name a", element);
  link.textContent = visible(campaign.name);
  link.title = campaign.name;
  link.href = address;
  const pencil = find(".pencil", element);
  pencil.ariaLabel = `Rename ${name}`;
  const description = find(".description .value", element);
  description.textContent = campaign.description || "—";
  description.classList.toggle("none", !campaign.description);
  find(".text", element).title = campaign.description;
  // Read-only text for users who may not edit.
  find(".description .read", element).textContent = may("editor") ? "" : campaign.description;
  find(".active .read", element).textContent = may("editor") ? "" : readable("is_active", campaign.is_active);
  const toggle = find(".switch", element);
  toggle.ariaLabel = `Active: ${name}`;
  toggle.ariaChecked = String(campaign.is_active);
  find(".created relative-time", element).setAttribute("datetime", campaign.created_on);
  find(".updated relative-time", element).setAttribute("datetime", campaign.updated_on);
}
