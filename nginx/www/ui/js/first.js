// The first page of the list, asked for while the rest of the console is still on its way.

import * as api from "./api.js";
import { addressOf, parseAddress } from "./urlstate.js";

const state = parseAddress(location);
let answer = state.view === "list" ? api.list(state) : null;
answer?.catch(() => {}); // told by whoever takes it

/** The answer for this state, when it was asked for; it is there to be taken once. */
export function takeFirst(wanted) {
  const taken = addressOf(wanted) === addressOf(state) ? answer : null;
  answer = null;
  return taken;
}
