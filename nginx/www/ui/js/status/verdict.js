// The state of the service in a sentence. No DOM.

import { count, number } from "./words.js";

/** For so many seconds it is told that a worker took another one's place. */
const recently = 300;

/** Whether a worker was started lately, and neither by the start of the service nor by a reload. */
const isReplacement = (worker, service) =>
  worker["start since"] < recently && worker["start time"] > Math.max(service["start time"] + 1, service["last reload time"]);

/** `{ state, headline, detail }`; the state is `good`, `busy` or `bad`. */
export function verdictOf(reading) {
  const { status, withoutDatabase, pendingRevisions } = reading;
  const workers = status["total processes"];
  const wanted = status["wanted processes"];
  const problems = [];
  if (withoutDatabase) problems.push(`The database does not answer ${count(withoutDatabase, "worker")}.`);
  if (workers < wanted) problems.push(`${count(wanted - workers, "worker")} of ${wanted} ${wanted - workers === 1 ? "is" : "are"} not there.`);
  if (pendingRevisions) problems.push(`The database lacks ${count(pendingRevisions, "revision")}.`);
  if (status["last reload"].startsWith("failed")) problems.push("The last reload failed, and the old workers go on.");
  if (status["db pool waiting"] > 0 && status["db pool idle"] === 0) problems.push("Requests wait for a connection to the database.");
  if (problems.length) return { state: "bad", headline: problems[0], detail: problems.slice(1).join(" ") };
  if (status["reloads under way"]) return { state: "busy", headline: "A reload is under way.", detail: "Workers are replaced one by one." };
  if (status["processes"]?.some((one) => one.state === "Starting" || one.state === "Finishing"))
    return { state: "busy", headline: "Workers are being replaced.", detail: "" };
  const [crashed, stuck] = [status["worker crashes"], status["stuck workers"]];
  if (crashed + stuck > 0 && status["processes"]?.some((one) => isReplacement(one, status)))
    return { state: "busy", headline: `Workers were replaced in the last minutes: ${number(crashed)} crashed and ${number(stuck)} got stuck so far.`, detail: "" };
  return { state: "good", headline: "All is well.", detail: "" };
}

/** The same when there is no reading, by the status of the answer. */
export function verdictWithout(status, since) {
  const detail = since ? `What is below is from ${since}. This page goes on asking.` : "This page goes on asking.";
  if (status === 403) return { state: "bad", headline: "This is not for you.", detail: "nginx shows the status to the addresses only that it is told of." };
  if (status === 0) return { state: "bad", headline: "There is no answer.", detail };
  return { state: "bad", headline: "The service does not say how it is.", detail: `nginx answered ${status}. ${detail}` };
}
