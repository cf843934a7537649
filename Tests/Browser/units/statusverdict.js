import { verdictOf, verdictWithout } from "/ui/js/status/verdict.js";
import { equal } from "./check.js";

const well = { "total processes": 2, "wanted processes": 2, "last reload": "", "db pool waiting": 0, "db pool idle": 1 };
const verdict = (status = {}, others = {}) =>
  verdictOf({ withoutDatabase: 0, pendingRevisions: 0, ...others, status: { ...well, ...status } });

export default {
  "all is well": () => equal(verdict(), { state: "good", headline: "All is well.", detail: "" }),
  "the worst problem is the headline, and the others are the detail": () =>
    equal(verdict({ "total processes": 1 }, { withoutDatabase: 1 }), {
      state: "bad",
      headline: "The database is unreachable from 1 worker.",
      detail: "1 of 2 workers is missing.",
    }),
  "pending revisions, failed reloads and a busy pool are reported": () => {
    equal(verdict({}, { pendingRevisions: 2 }).headline, "The database has 2 pending revisions.");
    equal(verdict({ "last reload": "failed: a new worker did not get ready" }).headline, "The last reload failed, and the old workers keep running.");
    equal(verdict({ "db pool waiting": 3, "db pool idle": 0 }).headline, "Requests are waiting for a database connection.");
  },
  "a finished reload is good, and one in progress is busy": () => {
    equal(verdict({ "last reload": "done" }).state, "good");
    equal(verdict({ "reloads under way": 1 }).state, "busy");
    equal(verdict({ processes: [{ state: "Idle" }, { state: "Finishing" }] }).state, "busy");
  },
  "crashed workers are reported for five minutes, and not those that a reload or a start replaced": () => {
    const service = { "start time": 1000, "start since": 2000, "last reload time": 1500, "worker crashes": 6, "stuck workers": 0 };
    const worker = (since) => ({ state: "Idle", "start time": 3000 - since, "start since": since });
    equal(verdict({ ...service, processes: [worker(1900), worker(4)] }), {
      state: "busy",
      headline: "Workers were replaced in the last minutes: 6 crashed and 0 got stuck in total.",
      detail: "",
    });
    equal(verdict({ ...service, processes: [worker(1900), worker(301)] }).state, "good");
    equal(verdict({ ...service, "worker crashes": 0, processes: [worker(4)] }).state, "good");
    equal(verdict({ ...service, "last reload time": 2999, processes: [worker(4)] }).state, "good");
    equal(verdict({ ...service, "start time": 2996, processes: [worker(4)] }).state, "good");
  },
  "no response, an error response and a 403 have different verdicts": () => {
    equal(verdictWithout(0, null).headline, "No response.");
    equal(verdictWithout(503, "14:02:33").detail, "nginx responded with 503. The data below is from 14:02:33. This page keeps trying.");
    equal(verdictWithout(403, null).headline, "Forbidden.");
  },
};
