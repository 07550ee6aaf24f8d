/** Stops a program at the first unexpected result, with a sentence that says what it was. */

export class UnexpectedResult extends Error {}

export function expectEqual(what, found, expected) {
  // Compared as text, because objects of the simulated page have other prototypes.
  const [foundText, expectedText] = [JSON.stringify(found), JSON.stringify(expected)];
  if (foundText !== expectedText) throw new UnexpectedResult(`${what}: expected ${expectedText}, got ${foundText}.`);
}

export async function runStages(...stages) {
  try {
    for (const stage of stages) {
      await stage();
      console.log(stage.name);
    }
  } catch (reason) {
    console.error(reason instanceof UnexpectedResult ? reason.message : reason.stack);
    process.exitCode = 1;
  }
}
