// The console: it shows the view that the address names, and hands it the keys.

import "./relativetime.js";
import { detailsView } from "./details.js";
import { confirmed } from "./dialogs.js";
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
  return confirmed({ title: "Discard your changes?", text: "They are not saved yet.", action: "Discard" });
}

function perform(command) {
  if (command === "new") return (go({ ...current(), view: "new" }), true);
  if (command === "undo") return (undoNewest(), true);
  return shown.view.commands[command]?.() ?? false;
}

addEventListener("beforeunload", (event) => shown.view.isDirty?.() && event.preventDefault());
addEventListener("pagehide", commitAll);
addEventListener("pageshow", (event) => event.persisted && shown.view.reload?.());
listen(perform);
start(show, mayLeave);
