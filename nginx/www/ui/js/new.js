// The page on which a campaign is made.

import { announce } from "./announcements.js";
import * as api from "./api.js";
import { copy, find, setLink } from "./dom.js";
import { campaignForm } from "./form.js";
import { KeyKeeper } from "./idempotency.js";
import { go } from "./router.js";
import { addressOf } from "./urlstate.js";

const empty = { name: "", description: "", is_active: true };

/** Shows it in `main`. */
export function newView(main, state) {
  const keys = new KeyKeeper();
  const back = { ...state, view: "list" };
  let isDone = false;
  const form = campaignForm({
    values: empty,
    action: "Create",
    cancel: () => {
      isDone = true;
      go(back);
    },
    submit: async (values) => {
      const body = JSON.stringify(values);
      const campaign = await api.create(body, keys.keyFor(body));
      isDone = true;
      announce(`${campaign.name} is created.`);
      await go({ ...state, view: "details", id: String(campaign.id), cursor: "" }, { replaces: true });
    },
  });
  main.replaceChildren(copy("new"));
  find(".card", main).append(form.element);
  setLink(find(".back", main), addressOf(back));
  document.title = "New campaign · Aktify";
  find("#name", main).focus();
  return {
    isDirty: () => !isDone && form.isDirty(),
    commands: {},
  };
}
