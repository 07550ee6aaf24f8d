/** The whole life of a product, through a client that is generated from the contract. */

import createClient, { type Client } from "openapi-fetch";
import {
  asDryRun,
  asPlan,
  asProduct,
  asReceipt,
  expectEqual,
  expectStatus,
  header,
  required,
  type Schemas,
  UnexpectedResult,
} from "./responses.js";
import type { paths } from "./contract.js";

const baseUrl = required("API_URL", process.env["API_URL"]);
const token = required("API_TOKEN", process.env["API_TOKEN"]);
const staff: Client<paths> = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const publicClient: Client<paths> = createClient<paths>({ baseUrl });

const ALL = "/v1.0/products";
const ONE = `${ALL}/{product_id}` as const;
const CHANGES = `${ONE}/changes` as const;
const CHANGE = `${CHANGES}/{version}` as const;
const RESTORE = `${CHANGE}/restore` as const;
const [first, second, third] = ["LIFE-1", "LIFE-2", "LIFE-3"];
const path = { product_id: first };
const Prefer = "wait=10";

function newProduct(productId: string, more: Partial<Schemas["ProductCreation"]> = {}): Schemas["ProductCreation"] {
  return {
    productId,
    name: `Hosting ${productId}`,
    description: "Hosting for a first site.",
    price: "1500.00",
    ...more,
  };
}

async function createOnce(): Promise<void> {
  const body = newProduct(first, { features: ["10 GB"], renewalPrice: "1500.00", billingCycle: "yearly" });
  const request = { params: { header: { Prefer, "Idempotency-Key": "life-of-one" } }, body };
  const created = await staff.POST(ALL, request);
  expectStatus("createProduct", 201, created);
  expectEqual("The ETag of a created product", header(created.response, "ETag"), '"v1"');
  expectEqual("The preference applied", header(created.response, "Preference-Applied"), "wait=10, until=stored");
  const { price, version, features, billingCycle, updatedBy, active } = asProduct(created.data);
  expectEqual(
    "The created product",
    { price, version, features, billingCycle, updatedBy, active },
    { price: "1500.00", version: 1, features: ["10 GB"], billingCycle: "yearly", updatedBy: "ann", active: true },
  );
  const replayed = await staff.POST(ALL, request);
  expectStatus("createProduct", 201, replayed);
  expectEqual("Idempotent-Replayed", header(replayed.response, "Idempotent-Replayed"), "true");
  expectEqual("The product of the replay", replayed.data, created.data);
  const other = await staff.POST(ALL, { ...request, body: { ...body, price: "1.00" } });
  expectStatus("createProduct", 422, other);
}

async function namesInvalidFields(): Promise<void> {
  const refused = await staff.POST(ALL, { body: newProduct("LIFE-0", { price: "many", name: "no" }) });
  expectStatus("createProduct", 400, refused);
  expectEqual("The fields refused", Object.keys(required("The error", refused.error).errors).sort(), ["name", "price"]);
  const anonymous = await publicClient.POST(ALL, { body: newProduct("LIFE-0") });
  expectStatus("createProduct", 401, anonymous);
  const taken = await staff.POST(ALL, { body: newProduct(first) });
  expectStatus("createProduct", 409, taken);
  const denied = await publicClient.GET(CHANGES, { params: { path } });
  expectStatus("listChanges", 401, denied);
}

async function readConditionally(): Promise<void> {
  const read = await publicClient.GET(ONE, { params: { path } });
  const headerOf = expectStatus("getProduct", 200, read);
  expectEqual("The ETag", headerOf("ETag"), '"v1"');
  expectEqual("Whether it is public", headerOf("Cache-Control").startsWith("public"), true);
  const { renewalPrice, period, updatedBy } = required("The product", read.data);
  expectEqual("The renewal price", renewalPrice, "1500.00");
  expectEqual("The type of the period", typeof period, "string");
  expectEqual("The author, for the public", updatedBy, undefined);
  const params = { path, header: { "If-None-Match": headerOf("ETag") } };
  const notModified = await publicClient.GET(ONE, { params });
  expectEqual("The ETag of a 304", expectStatus("getProduct", 304, notModified)("ETag"), '"v1"');
  expectEqual("The body of a 304", notModified.data, undefined);
}

/** Returns the parameter for the next page. */
function from({ nextStartAt }: { nextStartAt: string | null }): { startAt?: string } {
  return nextStartAt === null ? {} : { startAt: nextStartAt };
}

async function listInPages(): Promise<void> {
  for (const [productId, price] of [
    [second, "20.00"],
    [third, "9.00"],
  ] as const) {
    const body = newProduct(productId, { price });
    const accepted = await staff.POST(ALL, { body });
    const headerOf = expectStatus("createProduct", 202, accepted);
    const { statusUrl, version, productId: followed } = asReceipt(accepted.data);
    expectEqual("The receipt's URL", headerOf("Location"), statusUrl);
    expectEqual("The version accepted", [followed, version, headerOf("ETag")], [productId, 1, '"v1"']);
    expectEqual("Whether Retry-After is positive", Number(headerOf("Retry-After")) > 0, true);
  }
  const seen: string[] = [];
  for (let page = await byPrice(); ; page = await byPrice(from(page))) {
    seen.push(...page.products.map(({ productId }) => productId));
    if (page.nextStartAt === null) break;
  }
  expectEqual("The products by price", seen, [third, second, first]);
}

async function byPrice(start: { startAt?: string } = {}): Promise<Schemas["ProductPage"]> {
  const query = { limit: 2, sortBy: "price", order: "asc", ...start } as const;
  const page = await staff.GET(ALL, { params: { query } });
  const headerOf = expectStatus("listProducts", 200, page);
  const { products, count, moreAvailable, nextStartAt } = required("The page", page.data);
  expectEqual("The page's count", count, products.length);
  expectEqual("moreAvailable", moreAvailable, nextStartAt !== null);
  if (moreAvailable) expectEqual("The link to the next page", headerOf("Link").endsWith('; rel="next"'), true);
  return required("The page", page.data);
}

async function filterAndSearch(): Promise<void> {
  await waitForStatus("stored", 1, second); // the public sees a product only once it is stored
  await waitForStatus("stored", 1, third);
  const query = { minPrice: "10.00", maxPrice: "100.00", billingCycle: "one-time", currency: "ZAR" } as const;
  const some = await publicClient.GET(ALL, { params: { query } });
  const headerOf = expectStatus("listProducts", 200, some);
  const { products, nextStartAt, search } = required("The list", some.data);
  expectEqual(
    "The products in the price range",
    products.map(({ productId }) => productId),
    [second],
  );
  expectEqual("The end of the list", [nextStartAt, search], [null, undefined]);
  const params = { query, header: { "If-None-Match": headerOf("ETag") } };
  expectStatus("listProducts", 304, await publicClient.GET(ALL, { params }));
  const found = await staff.GET(ALL, { params: { query: { q: "hosting", limit: 1 } } });
  expectStatus("listProducts", 200, found);
  const { source, completeUpTo } = required("The state of the search", found.data?.search);
  expectEqual(
    "The state of the search",
    [["index", "table"].includes(source), Number.isNaN(Date.parse(completeUpTo))],
    [true, false],
  );
  const unknown = await publicClient.GET(ALL, { params: { query: { active: "all" } } });
  expectStatus("listProducts", 400, unknown);
  expectEqual("The staff-only parameter", Object.keys(required("The error", unknown.error).errors), ["active"]);
}

async function changeWithPreconditions(): Promise<void> {
  const seen = { Prefer, "If-Match": '"v1"' };
  const patched = await staff.PATCH(ONE, { params: { path, header: seen }, body: { price: "1600.00" } });
  expectStatus("patchProduct", 200, patched);
  expectEqual("The patched product", [asProduct(patched.data).price, asProduct(patched.data).version], ["1600.00", 2]);
  const outdated = await staff.PATCH(ONE, { params: { path, header: seen }, body: { price: "1.00" } });
  expectStatus("patchProduct", 412, outdated);
  expectEqual("The newest version, with 412", outdated.error?.version, 2);
  const clash = await staff.PATCH(ONE, { params: { path }, body: { price: "1700.00", version: 1 } });
  expectStatus("patchProduct", 409, clash);
  const conflicts: Record<string, Schemas["Clash"]> = required("conflicts", clash.error?.conflicts);
  expectEqual("The conflict", conflicts, { price: { base: "1500.00", yours: "1700.00", theirs: "1600.00" } });
  expectEqual("The newest version, with 409", clash.error?.version, 2);
}

async function sendBackWhole(): Promise<void> {
  const read = await staff.GET(ONE, { params: { path } });
  const { currency, ...rest } = required("The product", read.data); // a product has a wider type here than an edit
  const body = { ...rest, features: [...rest.features, "E-mail"] };
  const headers = { "X-Request-ID": "life-request-1" };
  const put = await staff.PUT(ONE, { params: { path, header: { Prefer } }, body, headers });
  expectStatus("updateProduct", 200, put);
  expectEqual("The request's own id", header(put.response, "X-Request-ID"), "life-request-1");
  expectEqual("The features sent back", asProduct(put.data).features, ["10 GB", "E-mail"]);
  expectEqual("The omitted currency", asProduct(put.data).currency, currency);
}

async function dryRunWritesNothing(): Promise<void> {
  const params = { path, query: { dryRun: "true" } } as const;
  const dryRun = await staff.PATCH(ONE, { params, body: { price: "5.00" } });
  expectStatus("patchProduct", 200, dryRun);
  const { changeType, changed, product: preview } = asDryRun(dryRun.data);
  expectEqual(
    "The change of a dry run",
    [changeType, changed, required("The preview", preview).version],
    ["UPDATE", { price: { before: "1600.00", after: "5.00" } }, 4],
  );
  const read = await staff.GET(ONE, { params: { path } });
  expectEqual("The version after a dry run", read.data?.version, 3);
}

async function changes(start: { startAt?: string } = {}): Promise<Schemas["ChangePage"]> {
  const page = await staff.GET(CHANGES, { params: { path, query: { limit: 2, ...start } } });
  expectStatus("listChanges", 200, page);
  return required("The history", page.data);
}

async function readHistory(): Promise<void> {
  const kinds: string[] = [];
  for (let page = await changes(); ; page = await changes(from(page))) {
    kinds.push(...page.changes.map(({ changeType, version }) => `${version} ${changeType}`));
    if (page.nextStartAt === null) break;
  }
  expectEqual("The history", kinds, ["3 UPDATE", "2 UPDATE", "1 CREATE"]);
  const past = await staff.GET(ONE, { params: { path, query: { asOf: "1" } } });
  expectStatus("getProduct", 200, past);
  expectEqual("The first price", past.data?.price, "1500.00");
  const now = await staff.GET(ONE, { params: { path, query: { asOf: new Date().toISOString() } } });
  expectEqual("The current price", now.data?.price, "1600.00");
}

async function receipt(version: number, product_id = first): Promise<Schemas["Change"]> {
  const read = await staff.GET(CHANGE, { params: { path: { product_id, version } } });
  expectStatus("getReceipt", 200, read);
  const change = required("The receipt", read.data);
  if (change.status !== "failed") return change;
  throw new UnexpectedResult(`Version ${version} of ${product_id} failed: ${JSON.stringify(change.effects)}.`);
}

/** Waits until the change has this status, and returns its receipt. The test limits the wait. */
async function waitForStatus(
  status: "stored" | "complete",
  version: number,
  product_id = first,
): Promise<Schemas["Change"]> {
  for (;;) {
    const change = await receipt(version, product_id);
    if (change.status === "complete" || change.status === status) return change;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function readReceipts(): Promise<void> {
  const { changed, before, after, user, source, effects } = await waitForStatus("complete", 2);
  expectEqual("The changed price", changed["price"], { before: "1500.00", after: "1600.00" });
  expectEqual("Before and after", [before?.price, after.price], ["1500.00", "1600.00"]);
  expectEqual("The user and source", [user, source], ["ann", "api"]);
  const { stored, purged, searchable, audited } = effects;
  const states = [stored, purged, searchable, audited].map(({ state, at }) => (at ? state : "never"));
  expectEqual("The effects", states, ["done", "done", "done", "done"]);
  expectEqual("The request's id", (await receipt(3)).requestId, "life-request-1");
  expectEqual("The product before the first change", (await receipt(1)).before, null);
}

async function restoreVersion(): Promise<void> {
  const params = { path: { ...path, version: 1 }, header: { Prefer } };
  const restored = await staff.POST(RESTORE, { params });
  expectStatus("restoreVersion", 200, restored);
  const { price, version, features } = asProduct(restored.data);
  expectEqual(
    "The restored product",
    { price, version, features },
    { price: "1500.00", version: 4, features: ["10 GB"] },
  );
  expectEqual("The change that restored it", (await receipt(4)).changeType, "UPDATE");
}

const PLANS = "/v1.0/plans";
const PLAN = `${PLANS}/{plan_id}` as const;

/** Waits until the plan is in this state. The test limits the wait. */
async function waitForPlan(plan_id: string, state: Schemas["PlanStateEnum"]): Promise<Schemas["Plan"]> {
  for (;;) {
    const read = await staff.GET(PLAN, { params: { path: { plan_id } } });
    expectStatus("getPlan", 200, read);
    const plan = required("The plan", read.data);
    if (plan.state === state) return plan;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function planPrice(): Promise<void> {
  const endsAt = new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString();
  const body = { name: "Offer", endsAt, rows: [{ productId: second, edits: { price: "18.00" } }] };
  const preview = await staff.POST(PLANS, { params: { query: { dryRun: "true" } }, body });
  expectStatus("createPlan", 200, preview);
  const made = await staff.POST(PLANS, { params: { header: { "Idempotency-Key": "offer" } }, body });
  const headerOf = expectStatus("createPlan", 201, made);
  const { planId, statusUrl, rows } = asPlan(made.data);
  expectEqual("The plan's URL and rows", [headerOf("Location"), rows], [statusUrl, 1]);
  const { version } = await waitForPlan(planId, "running");
  const offered = await staff.GET(ONE, { params: { path: { product_id: second } } });
  expectEqual("The price of the offer", offered.data?.price, "18.00");
  const read = await staff.GET(`${PLAN}/rows`, { params: { path: { plan_id: planId } } });
  expectStatus("listPlanRows", 200, read);
  const [row] = required("The rows", read.data).rows;
  expectEqual("The start of the row", [row?.start?.state, row?.start?.version], ["applied", 2]);
  const params = { path: { plan_id: planId }, header: { "If-Match": `"v${version + 1}"` } };
  expectStatus("endPlan", 412, await staff.POST(`${PLAN}/end`, { params }));
  expectStatus("endPlan", 200, await staff.POST(`${PLAN}/end`, { params: { path: { plan_id: planId } } }));
  await waitForPlan(planId, "ended");
  const after = await staff.GET(ONE, { params: { path: { product_id: second } } });
  expectEqual("The price after the offer", after.data?.price, "20.00");
}

async function deactivate(): Promise<void> {
  const deleted = await staff.DELETE(ONE, { params: { path, header: { Prefer, "If-Match": '"v4"' } } });
  expectStatus("deactivateProduct", 204, deleted);
  expectEqual("The body of a 204", deleted.data, undefined);
  const missing = await publicClient.GET(ONE, { params: { path } });
  expectStatus("getProduct", 404, missing);
  const { error, requestId } = required("The error", missing.error);
  expectEqual("The error", error, "Not Found");
  expectEqual("The error's request", requestId, header(missing.response, "X-Request-ID"));
  const back = { path: { ...path, version: 4 }, query: { dryRun: "true" } } as const;
  const preview = await staff.POST(RESTORE, { params: back });
  expectEqual("The type of a restore", asDryRun(preview.data).changeType, "RESTORE");
  const inactive = await staff.GET(ONE, { params: { path } });
  expectEqual("The inactive product for staff", [inactive.data?.active, inactive.data?.version], [false, 5]);
  const remaining = await publicClient.GET(ALL, { params: { query: { sortBy: "price", order: "desc" } } });
  expectEqual(
    "The remaining products",
    remaining.data?.products.map(({ productId }) => productId),
    [second, third],
  );
}

const life = [
  createOnce,
  namesInvalidFields,
  readConditionally,
  listInPages,
  filterAndSearch,
  changeWithPreconditions,
  sendBackWhole,
  dryRunWritesNothing,
  readHistory,
  readReceipts,
  restoreVersion,
  planPrice,
  deactivate,
];
try {
  for (const stage of life) {
    await stage();
    console.log(stage.name);
  }
} catch (reason) {
  console.error(reason instanceof UnexpectedResult ? reason.message : reason);
  process.exitCode = 1;
}
