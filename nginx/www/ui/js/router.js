// Which view the page shows, by its address.

import { addressOf, parseAddress } from "./urlstate.js";

let show = () => {};
let mayLeave = async () => true;
let address = "";
/** Which entry of the history is shown, counted from where the page began, and which one the browser has gone to. */
let position = 0;
let gone = 0;
let isAsking = false;

const addressNow = () => location.pathname + location.search;

function showCurrent() {
  address = addressNow();
  return show(current());
}

/** The state that the address describes now. */
export const current = () => parseAddress(location);

/** Goes to a state; with `replaces`, in place of the present one in the history. */
export async function go(state, { replaces = false } = {}) {
  if (!(await mayLeave(state))) return;
  if (!replaces) position += 1;
  gone = position;
  history[replaces ? "replaceState" : "pushState"]({ position }, "", addressOf(state));
  await showCurrent();
}

/** The browser has gone back or forward: it returns when what is shown must not be left. */
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

/** Begins: `view` shows a state, `leave` tells whether the present one may be left. */
export function start(view, leave) {
  [show, mayLeave] = [view, leave];
  position = gone = history.state?.position ?? 0;
  history.replaceState({ position }, "");
  // Going to a part of the page, as the skip link does, shows nothing else.
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
