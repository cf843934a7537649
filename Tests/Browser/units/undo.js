import { Undoable } from "/ui/js/undo.js";
import { equal } from "./check.js";

/** A manual clock. */
class Clock {
  #now = 0;
  #timers = new Map();
  now = () => this.#now;
  set = (act, milliseconds) => (this.#timers.set(act, this.#now + milliseconds), act);
  clear = (timer) => this.#timers.delete(timer);
  go(milliseconds) {
    this.#now += milliseconds;
    for (const [act, at] of this.#timers) if (at <= this.#now) (this.#timers.delete(act), act());
  }
}

function started() {
  const [clock, log] = [new Clock(), []];
  const action = { text: "", undo: () => log.push("undo"), commit: () => log.push("commit") };
  return { clock, log, undoable: new Undoable(action, (state) => log.push(state), clock) };
}

export default {
  "it is carried out after ten seconds"() {
    const { clock, log } = started();
    clock.go(9_999);
    equal(log, []);
    clock.go(1);
    equal(log, ["done", "commit"]);
  },
  async "undone, it is not carried out, and undone once only"() {
    const { clock, log, undoable } = started();
    const undoing = undoable.undo();
    undoable.undo();
    clock.go(20_000);
    undoable.commit();
    await undoing;
    clock.go(20_000);
    undoable.commit();
    equal(log, ["undo", "undone"]);
  },
  async "an undo that does not work for now can be tried again, for the time that is left"() {
    const { clock, log, undoable } = started();
    undoable.action.undo = () => false;
    clock.go(6_000);
    const undoing = undoable.undo();
    clock.go(20_000);
    await undoing;
    equal([undoable.state, log], ["open", ["open"]]);
    undoable.resume();
    clock.go(3_999);
    equal(log, ["open"]);
    clock.go(1);
    equal(log, ["open", "done", "commit"]);
  },
  "the countdown stops while it is paused"() {
    const { clock, log, undoable } = started();
    clock.go(6_000);
    undoable.pause();
    clock.go(60_000);
    undoable.resume();
    clock.go(3_999);
    equal(log, []);
    clock.go(1);
    equal(log, ["done", "commit"]);
  },
  "once it has ended it cannot be resumed"() {
    const { clock, log, undoable } = started();
    undoable.commit();
    undoable.resume();
    clock.go(20_000);
    equal(log, ["done", "commit"]);
    equal(undoable.state, "done");
  },
};
