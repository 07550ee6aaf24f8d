/** What the contract says of an answer, asked of the answer itself: each name here must be one the contract knows. */

import { isDeepStrictEqual } from "node:util";
import type { components, operations } from "./contract.js";

export type Schemas = components["schemas"];
type Operation = keyof operations;
type Answers<O extends Operation> = operations[O]["responses"];
/** The headers the contract names, without the index signature that lets any other through. */
type Named<Answer> = Answer extends { headers: infer Headers }
  ? keyof { [Name in keyof Headers as string extends Name ? never : Name]: Headers[Name] }
  : never;

/** A sentence for the person who reads why the program ended. */
export class Otherwise extends Error {}

export function same(what: string, found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected)) {
    throw new Otherwise(`${what} is ${JSON.stringify(found)}, and should be ${JSON.stringify(expected)}.`);
  }
}

/** Checks the status, and gives what reads the headers the contract promises with it. */
export function answered<O extends Operation, S extends keyof Answers<O> & number>(
  operation: O,
  status: S,
  { response, error }: { response: Response; error?: Schemas["Error"] | undefined },
): (name: Named<Answers<O>[S]> & string) => string {
  const why = error ? ` (${error.message})` : "";
  same(`The status of ${operation}${why}`, response.status, status);
  return (name) => header(response, name);
}

/** A header that must be there, whether the contract names it or not. */
export function header(response: Response, name: string): string {
  const value = response.headers.get(name);
  if (value === null) throw new Otherwise(`${response.status} from ${response.url} has no header ${name}.`);
  return value;
}

/** A successful write answers with one of three shapes; these tell which it was. */
type Written = Schemas["Saved"] | Schemas["ReceiptSummary"] | undefined;

export function product(data: Written): Schemas["Product"] {
  if (data && "price" in data) return data;
  throw new Otherwise(`A product was expected, not ${JSON.stringify(data)}.`);
}

export function summary(data: Written): Schemas["ReceiptSummary"] {
  if (data && "statusUrl" in data) return data;
  throw new Otherwise(`A receipt's address was expected, not ${JSON.stringify(data)}.`);
}

export function dryRun(data: Written): Schemas["DryRun"] {
  if (data && "dryRun" in data) return data;
  throw new Otherwise(`A dry run was expected, not ${JSON.stringify(data)}.`);
}

/** The body of a success or of an error, which the client's types can't promise before the status was seen. */
export function given<T>(what: string, body: T | undefined): T {
  if (body === undefined) throw new Otherwise(`${what} is missing.`);
  return body;
}
