import { Polling } from "/ui/js/status/polling.js";
import { equal } from "./check.js";

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export default {
  "it polls immediately and repeatedly, until it is paused, and then resumes": async () => {
    let acts = 0;
    const polling = new Polling(async () => void acts++, 5, () => false);
    polling.wake();
    await wait(50);
    const before = acts;
    equal(before >= 2, true);
    polling.isPaused = true;
    await wait(20);
    const paused = acts;
    await wait(30);
    equal(acts, paused);
    polling.isPaused = false;
    polling.wake();
    await wait(30);
    equal(acts > paused, true);
    polling.isPaused = true;
  },
  "it does not poll while the page is hidden": async () => {
    let [acts, hidden] = [0, true];
    const polling = new Polling(async () => void acts++, 5, () => hidden);
    polling.wake();
    await wait(20);
    equal(acts, 0);
    hidden = false;
    polling.wake();
    await wait(20);
    equal(acts >= 1, true);
    polling.isPaused = true;
  },
  "polls never overlap": async () => {
    let [acting, most] = [0, 0];
    const polling = new Polling(
      async () => {
        most = Math.max(most, ++acting);
        await wait(10);
        acting--;
      },
      1,
      () => false,
    );
    for (let index = 0; index < 5; index++) polling.wake();
    await wait(40);
    polling.isPaused = true;
    equal(most, 1);
  },
};
