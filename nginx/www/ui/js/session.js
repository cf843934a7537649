// The session: the API key of the tab, and its role. Without authentication there is no session. No DOM.

import { forget, recall, remember } from "./storage.js";

const roles = ["reader", "editor", "admin"];

/** `{ key, name, role }`; `null` without a session. */
let session = JSON.parse(recall("sessionStorage", "session"));

/** The signed-in user: `{ name, role }`; `null` without a session. */
export const signedIn = () => session && { name: session.name, role: session.role };

/** The API key for requests. */
export const currentKey = () => session?.key;

/** Whether the session's role includes this one. Without a session, everything is allowed. */
export const may = (role) => !session || !role || roles.indexOf(session.role) >= roles.indexOf(role);

/** Whether the tab still has this session, which may have ended while the page was in the back/forward cache. */
export const isCurrent = () => recall("sessionStorage", "session") === (session && JSON.stringify(session));

/** Starts a session, or ends it with `null`. */
export function setSession(next) {
  session = next;
  if (next) remember("sessionStorage", "session", JSON.stringify(next));
  else forget("sessionStorage", "session");
  dispatchEvent(new Event("sessionchanged"));
}

/** Calls `act` whenever a session starts or ends. */
export const whenSessionChanges = (act) => addEventListener("sessionchanged", act);

let asking = null;

/**
 * Waits until there is another key than the one that was rejected.
 * @param error the API's error.
 * @returns whether there is one: false if the user cancelled.
 */
export async function renewed(refused, error) {
  if (session?.key !== refused) return true;
  const ask = async () => (await import("./signin.js")).signIn(refused && error.message);
  return (asking ??= ask().catch(() => false).finally(() => (asking = null)));
}
