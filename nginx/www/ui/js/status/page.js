// The status page: requests the status every two seconds, and displays it.

import { find } from "../dom.js";
import { ask } from "./asking.js";
import { Polling } from "./polling.js";
import { between, History } from "./reading.js";
import { draw } from "./sparkline.js";
import { fillFacts, fillTable, setText } from "./tables.js";
import { verdictOf, verdictWithout } from "./verdict.js";
import { bytes, count, duration, latency, nothing, number, share } from "./words.js";

const interval = 2000;
const length = 60;
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** The readings of the last ten seconds, oldest first. Figures are averages over this period; sparklines show each interval. */
const recent = [];
/** The sparklines, with the minimum of their upper bounds. */
const least = { requests: 1, latency: 0.001, failures: 0.01, active: 1, pool: 1, memory: 1 };
const histories = Object.fromEntries(Object.keys(least).map((name) => [name, new History(length)]));
const polling = new Polling(refresh, interval, () => document.hidden);

async function refresh() {
  try {
    const reading = await ask();
    const step = between(recent.at(-1) ?? null, reading);
    if (step.rate === null) recent.length = 0;
    show(reading, step, between(recent[0] ?? null, reading));
    recent.push(reading);
    if (recent.length > 5) recent.shift();
  } catch (error) {
    if (error.status === undefined) throw error;
    showNothing(error.status);
  }
}

function show(reading, step, change) {
  const { status } = reading;
  remember({
    requests: step.rate,
    latency: step.slow,
    failures: step.failures,
    active: status["active requests"],
    pool: status["db pool in use"],
    memory: status.rss,
  });
  tell(verdictOf(reading));
  setText(find("#when"), `as of ${clock.format(reading.at)}`);
  find("#readings").classList.remove("old");
  showFigures(reading, change);
  showWorkers(reading, change);
  showRequests(reading);
  showFacts(reading);
}

function showNothing(status) {
  remember({});
  const last = recent.at(-1);
  tell(verdictWithout(status, last && clock.format(last.at)));
  find("#readings").classList.add("old");
}

/** Updates the verdict. It is a live region, which must only change when the state does. */
function tell({ state, headline, detail }) {
  find("#verdict").dataset.state = state;
  setText(find("#headline"), headline);
  setText(find("#detail"), detail);
}

function remember(values) {
  for (const [name, history] of Object.entries(histories)) {
    history.add(values[name] ?? null);
    draw(find(`[data-figure=${name}] .line`), history.values, { length, least: least[name] });
  }
}

function figure(name, value, more) {
  const box = find(`[data-figure=${name}]`);
  setText(find(".value", box), value);
  setText(find(".more", box), more);
}

function showFigures({ status, workers, answered, failed }, { rate, failures, median, slow }) {
  figure("requests", number(rate), `${number(status["accepted conn"])} total`);
  figure("latency", latency(slow), median === null ? "no responses" : `median ${latency(median)}`);
  figure("failures", share(failures), `${number(failed)} of ${number(answered)} total`);
  figure("active", number(status["active requests"]), `queue ${number(status["listen queue"])} of ${number(status["listen queue len"])}`);
  figure("pool", `${status["db pool in use"]} of ${status["db pool open"]}`, `${count(status["db pool waiting"], "task")} waiting`);
  figure("memory", bytes(status.rss), `of ${count(workers.length, "worker")}`);
}

function showWorkers({ workers }, change) {
  const rows = workers.map((one) => [
    String(one.pid),
    one.state,
    String(one.generation),
    duration(one["start since"]),
    number(one.requests),
    number(change.workers.get(one.pid) ?? null),
    number(one["active requests"]),
    bytes(one.rss),
  ]);
  fillTable(find("#workers"), rows, "There are no workers.");
}

function showRequests({ requests }) {
  const rows = requests.slice(0, 20).map((one) => [
    latency(one["request duration"] / 1e6),
    one["request method"] ? `${one["request method"]} ${one["request uri"]}` : nothing,
    one.phase,
    String(one.pid),
  ]);
  fillTable(find("#requests"), rows, "None at the moment.");
}

function showFacts({ status, withoutDatabase, pendingRevisions }) {
  fillFacts(find("#service"), [
    ["Version", status.version],
    ["Uptime", duration(status["start since"])],
    ["Workers", `${status["total processes"]} of ${status["wanted processes"]}`],
    ["Database", withoutDatabase ? "unreachable" : "reachable"],
    ["Pending revisions", number(pendingRevisions)],
    ["Slow requests", number(status["slow requests"])],
    ["Peak queue", number(status["max listen queue"])],
  ]);
  fillFacts(find("#restarts"), [
    ["Crashed", number(status["worker crashes"])],
    ["Stuck", number(status["stuck workers"])],
    ["Recycled", number(status.recycled)],
    ["Respawned", number(status.respawns)],
  ]);
  const time = status["last reload time"];
  fillFacts(find("#reloads"), [
    ["Generation", String(status.generation)],
    ["Succeeded", number(status.reloads)],
    ["Failed", number(status["failed reloads"])],
    ["Last outcome", status["last reload"] || "none yet"],
    ["Last time", time ? day.format(time * 1000) : nothing],
  ]);
}

const pause = find("#pause");
pause.addEventListener("click", () => {
  polling.isPaused = !polling.isPaused;
  pause.ariaPressed = String(polling.isPaused);
  polling.wake();
});
document.addEventListener("visibilitychange", () => polling.wake());
polling.wake();
