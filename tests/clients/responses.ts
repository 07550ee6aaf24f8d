/** Checks responses against the contract: operations, status codes and headers are typed by it. */

import { isDeepStrictEqual } from "node:util";
import type { components, operations } from "./contract.js";

export type Schemas = components["schemas"];
type Operation = keyof operations;
type Responses<O extends Operation> = operations[O]["responses"];
/** The headers in the contract, without the index signature that would allow any other. */
type HeaderName<R> = R extends { headers: infer Headers }
  ? keyof { [Name in keyof Headers as string extends Name ? never : Name]: Headers[Name] }
  : never;

/** Ends the program with a sentence that says why. */
export class UnexpectedResult extends Error {}

export function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected)) {
    throw new UnexpectedResult(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(found)}.`);
  }
}

/** Checks the status. Returns a function that reads the headers which the contract promises with it. */
export function expectStatus<O extends Operation, S extends keyof Responses<O> & number>(
  operation: O,
  status: S,
  { response, error }: { response: Response; error?: Schemas["Error"] | undefined },
): (name: HeaderName<Responses<O>[S]> & string) => string {
  const why = error ? ` (${error.message})` : "";
  expectEqual(`The status of ${operation}${why}`, response.status, status);
  return (name) => header(response, name);
}

/** Returns a header that must exist, whether or not the contract names it. */
export function header(response: Response, name: string): string {
  const value = response.headers.get(name);
  if (value === null) throw new UnexpectedResult(`${response.status} from ${response.url} has no header ${name}.`);
  return value;
}

/** The three possible bodies of a successful write. */
type WriteBody = Schemas["SavedProduct"] | Schemas["ReceiptSummary"] | undefined;

export function asProduct(data: WriteBody): Schemas["Product"] {
  if (data && "price" in data) return data;
  throw new UnexpectedResult(`Expected a product, got ${JSON.stringify(data)}.`);
}

export function asReceipt(data: WriteBody): Schemas["ReceiptSummary"] {
  if (data && "statusUrl" in data) return data;
  throw new UnexpectedResult(`Expected a receipt, got ${JSON.stringify(data)}.`);
}

export function asDryRun(data: WriteBody): Schemas["SavedProduct"] {
  if (data && "dryRun" in data) return data;
  throw new UnexpectedResult(`Expected a dry run, got ${JSON.stringify(data)}.`);
}

type PlanBody = Schemas["CreatedPlan"] | Schemas["PlanPreview"];

export function asPlan(data: PlanBody | undefined): Schemas["CreatedPlan"] {
  const isMade = (body: PlanBody): body is Schemas["CreatedPlan"] => body.planId !== undefined;
  if (data && isMade(data)) return data;
  throw new UnexpectedResult(`Expected a plan, got ${JSON.stringify(data)}.`);
}

/** Returns a body that must exist. The client's types can't promise it, because it depends on the status. */
export function required<T>(what: string, body: T | undefined): T {
  if (body === undefined) throw new UnexpectedResult(`${what} is missing.`);
  return body;
}
