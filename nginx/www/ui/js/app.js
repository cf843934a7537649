// The console: it shows the view that the address names, and hands it the keys.

import "./relativetime.js";
import { whenChanged } from "./changes.js";
import { cancelAll, mayDiscard, showHelp } from "./dialogs.js";
import { find } from "./dom.js";
import { listen } from "./keyboard.js";
import { listView } from "./list.js";
import { current, go, start } from "./router.js";
import { commitAll, undoNewest } from "./toasts.js";

/** The list comes with the page, so that it is there soon; the others are fetched behind it. */
const views = {
  list: async () => listView,
  new: async () => (await import("./new.js")).newView,
  details: async () => (await import("./details.js")).detailsView,
};
const fetchPause = 500;
const main = find("main");
let shown = { state: null, view: {} };

async function show(state) {
  if (state.view === "list" && shown.state?.view === "list") return shown.view.update(state);
  shown.view.leave?.();
  const from = shown.state;
  shown = { state, view: {} };
  const view = await views[state.view]().catch(() => location.reload());
  if (shown.state !== state || !view) return;
  shown.view = view(main, state, from && Number(from.id));
}

async function mayLeave() {
  await cancelAll();
  await shown.view.saved?.();
  if (!shown.view.isDirty?.()) return true;
  return mayDiscard();
}

/** What keys do wherever they are pressed; a view has its own besides. */
const shared = {
  help: () => void showHelp(),
  new: () => void go({ ...current(), view: "new" }),
  undo: undoNewest,
  search: () => void go({ ...current(), view: "list" }).then(() => shown.view.commands.search?.()),
};

function perform(command) {
  const act = { ...shared, ...shown.view.commands }[command];
  return act ? act() : false;
}

addEventListener("beforeunload", (event) => shown.view.isDirty?.() && event.preventDefault());
addEventListener("pagehide", commitAll);
whenChanged(() => shown.view.reload?.());
find("#help-button").addEventListener("click", showHelp);
addEventListener("pageshow", (event) => event.persisted && shown.view.reload?.());
listen(perform);
start(show, mayLeave);
setTimeout(() => Object.values(views).forEach((view) => view().catch(() => {})), fetchPause);
