// Helpers of the unit tests.

/** Throws if two values have different JSON representations. */
export function equal(actual, expected) {
  const [is, shouldBe] = [actual, expected].map((value) => JSON.stringify(value) ?? String(value));
  if (is !== shouldBe) throw new Error(`${is} is not ${shouldBe}`);
}

/** Runs tests, `{ sentence: function }`; returns a line for each one that fails. */
export async function failures(tests) {
  const lines = [];
  for (const [sentence, test] of Object.entries(tests)) {
    try {
      await test();
    } catch (error) {
      lines.push(`${sentence}: ${error.message}`);
    }
  }
  return lines;
}
