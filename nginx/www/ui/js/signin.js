// The sign-in dialog.

import { announce } from "./announcements.js";
import * as api from "./api.js";
import { ask, cancel } from "./dialogs.js";
import { find } from "./dom.js";
import { setSession } from "./session.js";

const dialog = find("#sign-in");
const form = find("form", dialog);
const field = find("#key", form);

/** Shows an error beside the key. */
function tell(text) {
  find("#key-error", form).textContent = text;
  field.ariaInvalid = text ? "true" : null;
}

/**
 * Asks for an API key until the API accepts one.
 * @param text the error of the previous key, if any.
 * @returns whether a key was accepted.
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
  // Characters that header fields cannot contain are replaced by one that no key contains.
  const key = field.value.trim().replace(/[^\x21-\x7e]/g, "?");
  form.ariaBusy = "true";
  tell("");
  try {
    const identity = await api.identity(key);
    if (dialog.open) {
      // There is no name if authentication has been turned off meanwhile.
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
