// Requests the first page of the list while the rest of the console is still loading.

import * as api from "./api.js";
import { addressOf, parseAddress } from "./urlstate.js";

const state = parseAddress(location);
let answer = state.view === "list" ? api.list(state) : null;
answer?.catch(() => {}); // handled by the caller that takes it

/** Returns the response if it was requested for this state, and only once. */
export function takeFirst(wanted) {
  const taken = addressOf(wanted) === addressOf(state) ? answer : null;
  answer = null;
  return taken;
}
