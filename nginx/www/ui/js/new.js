// The view in which a campaign is created.

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

/** Shows the view in `main`. */
export function newView(main, state) {
  const keys = new KeyKeeper();
  const back = { ...state, view: "list" };
  let isDone = false;
  let isLeft = false;
  /** A request with an unknown outcome, so that the campaign may have been created: `{ name, body }`. */
  let unsure = null;

  async function create(values) {
    const body = JSON.stringify(values);
    // The same body again has the same idempotency key, and creates at most one; another body would create a second one.
    if (unsure && unsure.body !== body) {
      const { name } = unsure;
      unsure = null;
      throw duplicateWarning(name);
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
  const refusal = () => notice({ icon: "empty", title: "You cannot create campaigns", text: "Your key is read-only." });
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

/** Warns that a duplicate may result, with a link that searches for the first campaign in a new tab. */
function duplicateWarning(name) {
  const way = document.createElement("a");
  way.href = addressOf({ ...defaults, view: "list", q: name });
  way.target = "_blank";
  way.textContent = `Look for ${quoted(name)}`;
  return Object.assign(new Error(`${quoted(name)} may have been created before. Create adds this one as well.`), { way });
}
