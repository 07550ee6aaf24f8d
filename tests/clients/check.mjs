/** Ends a program at the first difference, with a sentence that says what it was. */

export class Otherwise extends Error {}

export function same(what, found, expected) {
  const [is, should] = [JSON.stringify(found), JSON.stringify(expected)]; // texts, since a page's objects are not ours
  if (is !== should) throw new Otherwise(`${what} is ${is}, and should be ${should}.`);
}

export async function inOrder(...stages) {
  try {
    for (const stage of stages) {
      await stage();
      console.log(stage.name);
    }
  } catch (reason) {
    console.error(reason instanceof Otherwise ? reason.message : reason.stack);
    process.exitCode = 1;
  }
}
