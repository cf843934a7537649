// The question for a key.

import { announce } from "./announcements.js";
import * as api from "./api.js";
import { ask, cancel } from "./dialogs.js";
import { find } from "./dom.js";
import { setSession } from "./session.js";

const dialog = find("#sign-in");
const form = find("form", dialog);
const field = find("#key", form);

/** Says what is wrong with the key, beside it. */
function tell(text) {
  find("#key-error", form).textContent = text;
  field.ariaInvalid = text ? "true" : null;
}

/**
 * Asks for a key until the API takes one.
 * @param text what was wrong with the last one; none for the first one.
 * @returns whether there is one.
 */
export async function signIn(text = "") {
  tell(text);
  const isSignedIn = (await ask(dialog)) === "signed in";
  form.reset();
  return isSignedIn;
}

find("[data-part=cancel]", form).addEventListener("click", () => cancel(dialog));
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.ariaBusy) return;
  // What no header field can have is sent as something that is in no key.
  const key = field.value.trim().replace(/[^\x21-\x7e]/g, "?");
  form.ariaBusy = "true";
  tell("");
  try {
    const identity = await api.identity(key);
    if (dialog.open) {
      // It has no name where a key is not asked for any more.
      setSession(identity.name && { key, ...identity });
      announce("Signed in.");
      dialog.close("signed in");
    }
  } catch (error) {
    tell(error.message);
    field.focus();
    field.select();
  }
  form.ariaBusy = null;
});
