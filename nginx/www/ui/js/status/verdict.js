// The verdict: the state of the service in a sentence. No DOM.

import { count, number } from "./words.js";

/** How long replaced workers are reported, in seconds. */
const recently = 300;

/** Whether a worker was started recently as a replacement: neither with the service nor by a reload. */
const isReplacement = (worker, service) =>
  worker["start since"] < recently && worker["start time"] > Math.max(service["start time"] + 1, service["last reload time"]);

/** `{ state, headline, detail }`; the state is `good`, `busy` or `bad`. */
export function verdictOf(reading) {
  const { status, withoutDatabase, pendingRevisions } = reading;
  const workers = status["total processes"];
  const wanted = status["wanted processes"];
  const problems = [];
  if (withoutDatabase) problems.push(`The database is unreachable from ${count(withoutDatabase, "worker")}.`);
  if (workers < wanted) problems.push(`${wanted - workers} of ${count(wanted, "worker")} ${wanted - workers === 1 ? "is" : "are"} missing.`);
  if (pendingRevisions) problems.push(`The database has ${count(pendingRevisions, "pending revision")}.`);
  if (status["last reload"].startsWith("failed")) problems.push("The last reload failed, and the old workers keep running.");
  if (status["db pool waiting"] > 0 && status["db pool idle"] === 0) problems.push("Requests are waiting for a database connection.");
  if (problems.length) return { state: "bad", headline: problems[0], detail: problems.slice(1).join(" ") };
  if (status["reloads under way"]) return { state: "busy", headline: "A reload is in progress.", detail: "Workers are being replaced one by one." };
  if (status["processes"]?.some((one) => one.state === "Starting" || one.state === "Finishing"))
    return { state: "busy", headline: "Workers are being replaced.", detail: "" };
  const [crashed, stuck] = [status["worker crashes"], status["stuck workers"]];
  if (crashed + stuck > 0 && status["processes"]?.some((one) => isReplacement(one, status)))
    return { state: "busy", headline: `Workers were replaced in the last minutes: ${number(crashed)} crashed and ${number(stuck)} got stuck in total.`, detail: "" };
  return { state: "good", headline: "All is well.", detail: "" };
}

/** The verdict without a reading, by the status code of the response. */
export function verdictWithout(status, since) {
  const detail = since ? `The data below is from ${since}. This page keeps trying.` : "This page keeps trying.";
  if (status === 403) return { state: "bad", headline: "Forbidden.", detail: "nginx shows the status only to the addresses that it allows." };
  if (status === 0) return { state: "bad", headline: "No response.", detail };
  return { state: "bad", headline: "The status is unavailable.", detail: `nginx responded with ${status}. ${detail}` };
}
