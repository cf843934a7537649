// The router: selects the view by the URL.

import { addressOf, parseAddress } from "./urlstate.js";

let show = () => {};
let mayLeave = async () => true;
let address = "";
/** The indexes, counted from when the page was loaded, of the history entry that is shown, and of the one that the browser is at. */
let position = 0;
let gone = 0;
let isAsking = false;

const addressNow = () => location.pathname + location.search;

function showCurrent() {
  address = addressNow();
  return show(current());
}

/** The state that the current URL describes. */
export const current = () => parseAddress(location);

/** Navigates to a state; with `replaces`, replaces the current history entry. */
export async function go(state, { replaces = false } = {}) {
  if (!(await mayLeave(state))) return;
  if (!replaces) position += 1;
  gone = position;
  history[replaces ? "replaceState" : "pushState"]({ position }, "", addressOf(state));
  await showCurrent();
}

/** Handles back and forward. Goes back to the shown entry if its view may not be left. */
async function moved(event) {
  const isElsewhere = addressNow() !== address;
  gone = event.state?.position ?? (isElsewhere ? gone - 1 : gone);
  if (!isElsewhere || isAsking) return;
  isAsking = true;
  const mayGo = await mayLeave(current());
  isAsking = false;
  if (!mayGo) return history.go(position - gone);
  position = gone;
  await showCurrent();
}

/** Starts the router: `view` shows a state, `leave` returns whether the current one may be left. */
export function start(view, leave) {
  [show, mayLeave] = [view, leave];
  position = gone = history.state?.position ?? 0;
  history.replaceState({ position }, "");
  // Navigation within the page, such as by the skip link, does not change the view.
  addEventListener("popstate", moved);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!link || link.target || !isPlain || event.defaultPrevented) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !/^\/ui\/(new|campaigns\/\d+)?$/.test(url.pathname) || url.hash) return;
    event.preventDefault();
    go(parseAddress(url));
  });
  showCurrent();
}
