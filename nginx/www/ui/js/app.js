// The console: it shows the view that the address names, and hands it the keys.

import "./relativetime.js";
import { whenChanged } from "./changes.js";
import { detailsView } from "./details.js";
import { mayDiscard, showHelp } from "./dialogs.js";
import { find } from "./dom.js";
import { listen } from "./keyboard.js";
import { listView } from "./list.js";
import { newView } from "./new.js";
import { current, go, start } from "./router.js";
import { commitAll, undoNewest } from "./toasts.js";

const views = { list: listView, new: newView, details: detailsView };
const main = find("main");
let shown = { name: null, id: undefined, view: {} };

function show(state) {
  if (state.view === "list" && shown.name === "list") return shown.view.update(state);
  shown.view.leave?.();
  const isFirst = shown.name === null;
  const cameFrom = shown.id === undefined ? (isFirst ? undefined : null) : Number(shown.id);
  shown = { name: state.view, id: state.id, view: views[state.view](main, state, cameFrom) };
}

async function mayLeave() {
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
