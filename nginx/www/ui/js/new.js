// The page on which a campaign is made.

import { announce } from "./announcements.js";
import * as api from "./api.js";
import { quoted } from "./campaign.js";
import { changed } from "./changes.js";
import { copy, find, notice, setLink } from "./dom.js";
import { campaignForm } from "./form.js";
import { KeyKeeper } from "./idempotency.js";
import { go } from "./router.js";
import { may } from "./session.js";
import { tell, tellFailure } from "./toasts.js";
import { addressOf, defaults } from "./urlstate.js";

const empty = { name: "", description: "", is_active: true };

/** Shows it in `main`. */
export function newView(main, state) {
  const keys = new KeyKeeper();
  const back = { ...state, view: "list" };
  let isDone = false;
  let isLeft = false;
  /** One that may have been created, though no answer said so: `{ name, body }`. */
  let unsure = null;

  async function create(values) {
    const body = JSON.stringify(values);
    // Sent again as it was it creates once; changed it would be another one.
    if (unsure && unsure.body !== body) {
      const { name } = unsure;
      unsure = null;
      throw besides(name);
    }
    try {
      return await api.create(body, keys.keyFor(body));
    } catch (error) {
      if (error.isUnknown || error.status === 0) unsure = { name: values.name, body };
      throw error;
    }
  }

  const form = campaignForm({
    values: empty,
    action: "Create",
    cancel: () => {
      isDone = true;
      go(back);
    },
    submit: async (values) => {
      const what = quoted(values.name);
      try {
        const campaign = await create(values);
        if (isLeft) {
          changed();
          return tell(`${what} is created.`);
        }
        isDone = true;
        announce(`${campaign.name} is created.`);
        await go({ ...state, view: "details", id: String(campaign.id), cursor: "" }, { replaces: true });
      } catch (error) {
        if (!isLeft) throw error;
        tellFailure(error.of(what, "created"));
      }
    },
  });
  main.replaceChildren(copy("new"));
  const refusal = () => notice({ icon: "empty", title: "You may not make one", text: "Your key may only read." });
  find(".card", main).append(may("editor") ? form.element : refusal());
  setLink(find(".back", main), addressOf(back));
  document.title = "New campaign · Aktify";
  find(may("editor") ? "#name" : "h1", main).focus();
  return {
    leave: () => (isLeft = true),
    isDirty: () => !isDone && form.isDirty(),
    commands: {},
  };
}

/** Says that there may be two, with a link to where the first one would be, which leaves this page open. */
function besides(name) {
  const way = document.createElement("a");
  way.href = addressOf({ ...defaults, view: "list", q: name });
  way.target = "_blank";
  way.textContent = `Look for ${quoted(name)}`;
  return Object.assign(new Error(`${quoted(name)} may have been created before. Create makes this one besides it.`), { way });
}
