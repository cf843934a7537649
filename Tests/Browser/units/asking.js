import { ApiError, errorOf, nextCursor } from "/ui/js/api.js";
import { KeyKeeper } from "/ui/js/idempotency.js";
import { debounced, Latest } from "/ui/js/latest.js";
import { equal } from "./check.js";

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export default {
  "the same body has the same key, and another body another key"() {
    const keys = new KeyKeeper();
    const [first, other, again] = [keys.keyFor("a"), keys.keyFor("b"), keys.keyFor("a")];
    equal([first === again, first === other, /^[0-9a-f]{32}$/.test(first)], [true, false, true]);
    equal(new KeyKeeper().keyFor("a") === first, false);
  },
  "a newer request aborts the older one, whose result is discarded"() {
    const latest = new Latest();
    let signal;
    const old = latest.run((given) => ((signal = given), pause(20).then(() => "old")));
    const recent = latest.run(async () => "new");
    return Promise.all([old, recent]).then((answers) => equal([...answers.map(String), signal.aborted], ["undefined", "new", true]));
  },
  "the error of an older request is discarded, too"() {
    const latest = new Latest();
    const old = latest.run(() => pause(5).then(() => Promise.reject(new Error("old"))));
    latest.cancel();
    return old.then((answer) => equal(answer, undefined));
  },
  "repeated calls are debounced to one with the last arguments": async () => {
    const done = [];
    const ask = debounced((value) => done.push(value), 10);
    for (const value of [1, 2, 3]) ask(value);
    await pause(40);
    equal(done, [3]);
  },
  "the cursor of the next page is in Link": () =>
    equal(
      [nextCursor('<http://x/campaigns/?limit=2&cursor=A-b_1>; rel="next"'), nextCursor(null), nextCursor('<http://x/>; rel="prev"')],
      ["A-b_1", "", ""],
    ),
  "an error has a message, whatever its body": async () => {
    const told = await errorOf(new Response('{"message":"No.","errors":[{"field":"name","message":"name is."}],"request_id":"r"}', { status: 422 }));
    equal([told.message, [...told.fields], told.requestID, told.status], ["No.", [["name", "name is."]], "r", 422]);
    const page = await errorOf(new Response("<html>", { status: 502 }));
    equal([page.message, page.fields.size, page instanceof ApiError], ["The service responded with 502.", 0, true]);
  },
};
