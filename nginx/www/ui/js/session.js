// Whose key the console uses, for as long as the tab is open, and what it may do. Where the API asks for none there is no session. No DOM.

import { forget, recall, remember } from "./storage.js";

const roles = ["reader", "editor", "admin"];

/** `{ key, name, role }`; `null` for who has not been asked. */
let session = JSON.parse(recall("sessionStorage", "session"));

/** Who has signed in: `{ name, role }`; `null` for nobody. */
export const signedIn = () => session && { name: session.name, role: session.role };

/** The key that requests are sent with. */
export const currentKey = () => session?.key;

/** Whether this role, or a lesser one, is enough. Nobody who was not asked for a key is refused anything. */
export const may = (role) => !session || !role || roles.indexOf(session.role) >= roles.indexOf(role);

/** Whether the tab still has this session: a page that is gone back to may be older than its end. */
export const isCurrent = () => recall("sessionStorage", "session") === (session && JSON.stringify(session));

/** Begins a session, or ends it with `null`. */
export function setSession(next) {
  session = next;
  if (next) remember("sessionStorage", "session", JSON.stringify(next));
  else forget("sessionStorage", "session");
  dispatchEvent(new Event("sessionchanged"));
}

/** Calls `act` whenever it begins or ends. */
export const whenSessionChanges = (act) => addEventListener("sessionchanged", act);

let asking = null;

/**
 * Waits until there is another key than the one that a request was refused with.
 * @param error what the API says of it.
 * @returns whether there is one: false when somebody would rather not yet.
 */
export async function renewed(refused, error) {
  if (session?.key !== refused) return true;
  const ask = async () => (await import("./signin.js")).signIn(refused && error.message);
  return (asking ??= ask().catch(() => false).finally(() => (asking = null)));
}
