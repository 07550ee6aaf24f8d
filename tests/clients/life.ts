/** The whole life of a product, as a client sees it that was generated from the contract. */

import createClient, { type Client } from "openapi-fetch";
import { answered, dryRun, given, header, Otherwise, product, same, type Schemas, summary } from "./answers.js";
import type { paths } from "./contract.js";

const baseUrl = given("API_URL", process.env["API_URL"]);
const token = given("API_TOKEN", process.env["API_TOKEN"]);
const staff: Client<paths> = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const anybody: Client<paths> = createClient<paths>({ baseUrl });

const ALL = "/v1.0/products";
const ONE = `${ALL}/{product_id}` as const;
const CHANGES = `${ONE}/changes` as const;
const CHANGE = `${CHANGES}/{version}` as const;
const RESTORE = `${CHANGE}/restore` as const;
const [first, second, third] = ["LIFE-1", "LIFE-2", "LIFE-3"];
const path = { product_id: first };
const Prefer = "wait=10";

function newProduct(productId: string, more: Partial<Schemas["NewProduct"]> = {}): Schemas["NewProduct"] {
  return {
    productId,
    name: `Hosting ${productId}`,
    description: "Hosting for a first site.",
    price: "1500.00",
    ...more,
  };
}

async function isCreatedOnce(): Promise<void> {
  const body = newProduct(first, { features: ["10 GB"], renewalPrice: "1500.00", billingCycle: "yearly" });
  const asked = { params: { header: { Prefer, "Idempotency-Key": "life-of-one" } }, body };
  const created = await staff.POST(ALL, asked);
  answered("createProduct", 201, created);
  same("The ETag of a created product", header(created.response, "ETag"), '"v1"');
  same("What was waited for", header(created.response, "Preference-Applied"), "wait=10, until=stored");
  const { price, version, features, billingCycle, updatedBy, active } = product(created.data);
  same(
    "The created product",
    { price, version, features, billingCycle, updatedBy, active },
    { price: "1500.00", version: 1, features: ["10 GB"], billingCycle: "yearly", updatedBy: "ann", active: true },
  );
  const replayed = await staff.POST(ALL, asked);
  answered("createProduct", 201, replayed);
  same("Idempotent-Replayed", header(replayed.response, "Idempotent-Replayed"), "true");
  same("The product of the replay", replayed.data, created.data);
  const other = await staff.POST(ALL, { ...asked, body: { ...body, price: "1.00" } });
  answered("createProduct", 422, other);
}

async function whatIsWrongIsNamed(): Promise<void> {
  const refused = await staff.POST(ALL, { body: newProduct("LIFE-0", { price: "many", name: "no" }) });
  answered("createProduct", 400, refused);
  same("The fields refused", Object.keys(given("The error", refused.error).errors).sort(), ["name", "price"]);
  const stranger = await anybody.POST(ALL, { body: newProduct("LIFE-0") });
  answered("createProduct", 401, stranger);
  const taken = await staff.POST(ALL, { body: newProduct(first) });
  answered("createProduct", 409, taken);
  const denied = await anybody.GET(CHANGES, { params: { path } });
  answered("listChanges", 401, denied);
}

async function isReadAndKept(): Promise<void> {
  const read = await anybody.GET(ONE, { params: { path } });
  const promised = answered("getProduct", 200, read);
  same("The ETag", promised("ETag"), '"v1"');
  same("Whether anyone may keep it", promised("Cache-Control").startsWith("public"), true);
  const { renewalPrice, period, updatedBy } = given("The product", read.data);
  same("Its terms", [renewalPrice, typeof period, updatedBy], ["1500.00", "string", undefined]);
  const params = { path, header: { "If-None-Match": promised("ETag") } };
  const kept = await anybody.GET(ONE, { params });
  same("The ETag of what was kept", answered("getProduct", 304, kept)("ETag"), '"v1"');
  same("The body of what was kept", kept.data, undefined);
}

/** The parameter that asks for the page after this one. */
function from({ nextStartAt }: { nextStartAt: string | null }): { startAt?: string } {
  return nextStartAt === null ? {} : { startAt: nextStartAt };
}

async function isListedInPages(): Promise<void> {
  for (const [productId, price] of [
    [second, "20.00"],
    [third, "9.00"],
  ] as const) {
    const body = newProduct(productId, { price });
    const accepted = await staff.POST(ALL, { body });
    const promised = answered("createProduct", 202, accepted);
    const { statusUrl, version, productId: followed } = summary(accepted.data);
    same("Where to follow it", promised("Location"), statusUrl);
    same("The version accepted", [followed, version, promised("ETag")], [productId, 1, '"v1"']);
    same("When to look again", Number(promised("Retry-After")) > 0, true);
  }
  const seen: string[] = [];
  for (let page = await byPrice(); ; page = await byPrice(from(page))) {
    seen.push(...page.products.map(({ productId }) => productId));
    if (page.nextStartAt === null) break;
  }
  same("The products by price", seen, [third, second, first]);
}

async function byPrice(place: { startAt?: string } = {}): Promise<Schemas["ProductPage"]> {
  const query = { limit: 2, sortBy: "price", order: "asc", ...place } as const;
  const page = await staff.GET(ALL, { params: { query } });
  const promised = answered("listProducts", 200, page);
  const { products, count, moreAvailable, nextStartAt } = given("The page", page.data);
  same("The page's count", count, products.length);
  same("moreAvailable", moreAvailable, nextStartAt !== null);
  if (moreAvailable) same("The link to the next page", promised("Link").endsWith('; rel="next"'), true);
  return given("The page", page.data);
}

async function isFiltered(): Promise<void> {
  await come("stored", 1, second); // staff see at once what they wrote, the public once it is stored
  await come("stored", 1, third);
  const query = { minPrice: "10.00", maxPrice: "100.00", billingCycle: "one-time", currency: "ZAR" } as const;
  const some = await anybody.GET(ALL, { params: { query } });
  const promised = answered("listProducts", 200, some);
  const { products, nextStartAt, search } = given("The list", some.data);
  same(
    "What is between",
    products.map(({ productId }) => productId),
    [second],
  );
  same("The end of the list", [nextStartAt, search], [null, undefined]);
  const params = { query, header: { "If-None-Match": promised("ETag") } };
  answered("listProducts", 304, await anybody.GET(ALL, { params }));
  const found = await staff.GET(ALL, { params: { query: { q: "hosting", limit: 1 } } });
  answered("listProducts", 200, found);
  const { source, completeUpTo } = given("The state of the search", found.data?.search);
  same(
    "What the search tells",
    [["index", "table"].includes(source), Number.isNaN(Date.parse(completeUpTo))],
    [true, false],
  );
  const unknown = await anybody.GET(ALL, { params: { query: { active: "all" } } });
  answered("listProducts", 400, unknown);
  same("What the public may not ask", Object.keys(given("The error", unknown.error).errors), ["active"]);
}

async function isChangedOnlyAsSeen(): Promise<void> {
  const seen = { Prefer, "If-Match": '"v1"' };
  const patched = await staff.PATCH(ONE, { params: { path, header: seen }, body: { price: "1600.00" } });
  answered("patchProduct", 200, patched);
  same("The patched product", [product(patched.data).price, product(patched.data).version], ["1600.00", 2]);
  const late = await staff.PATCH(ONE, { params: { path, header: seen }, body: { price: "1.00" } });
  answered("patchProduct", 412, late);
  same("The newest version, with 412", late.error?.version, 2);
  const clash = await staff.PATCH(ONE, { params: { path }, body: { price: "1700.00", version: 1 } });
  answered("patchProduct", 409, clash);
  const conflicts: Record<string, Schemas["Clash"]> = given("conflicts", clash.error?.conflicts);
  same("The conflict", conflicts, { price: { base: "1500.00", yours: "1700.00", theirs: "1600.00" } });
  same("The newest version, with 409", clash.error?.version, 2);
}

async function isSentBackWhole(): Promise<void> {
  const read = await staff.GET(ONE, { params: { path } });
  const { currency, ...rest } = given("The product", read.data); // the contract lets it be read as any text
  const body = { ...rest, features: [...rest.features, "E-mail"] };
  const headers = { "X-Request-ID": "life-request-1" };
  const put = await staff.PUT(ONE, { params: { path, header: { Prefer } }, body, headers });
  answered("updateProduct", 200, put);
  same("The request's own id", header(put.response, "X-Request-ID"), "life-request-1");
  same("The features sent back", product(put.data).features, ["10 GB", "E-mail"]);
  same("What was not sent", product(put.data).currency, currency);
}

async function isTriedWithoutTrace(): Promise<void> {
  const params = { path, query: { dryRun: "true" } } as const;
  const tried = await staff.PATCH(ONE, { params, body: { price: "5.00" } });
  answered("patchProduct", 200, tried);
  const { changeType, changed, product: would } = dryRun(tried.data);
  same(
    "What it would do",
    [changeType, changed, would.version],
    ["UPDATE", { price: { before: "1600.00", after: "5.00" } }, 4],
  );
  const read = await staff.GET(ONE, { params: { path } });
  same("The version after a dry run", read.data?.version, 3);
}

async function changes(place: { startAt?: string } = {}): Promise<Schemas["Changes"]> {
  const page = await staff.GET(CHANGES, { params: { path, query: { limit: 2, ...place } } });
  answered("listChanges", 200, page);
  return given("The history", page.data);
}

async function hasAHistory(): Promise<void> {
  const kinds: string[] = [];
  for (let page = await changes(); ; page = await changes(from(page))) {
    kinds.push(...page.changes.map(({ changeType, version }) => `${version} ${changeType}`));
    if (page.nextStartAt === null) break;
  }
  same("The history", kinds, ["3 UPDATE", "2 UPDATE", "1 CREATE"]);
  const then = await staff.GET(ONE, { params: { path, query: { asOf: 1 } } });
  answered("getProduct", 200, then);
  same("The price it had", then.data?.price, "1500.00");
  const moment = await staff.GET(ONE, { params: { path, query: { asOf: new Date().toISOString() } } });
  same("The price it has now", moment.data?.price, "1600.00");
}

async function receipt(version: number, product_id = first): Promise<Schemas["Change"]> {
  const read = await staff.GET(CHANGE, { params: { path: { product_id, version } } });
  answered("getReceipt", 200, read);
  const change = given("The receipt", read.data);
  if (change.status !== "failed") return change;
  throw new Otherwise(`Version ${version} of ${product_id} failed: ${JSON.stringify(change.effects)}.`);
}

/** The receipt once its change has come so far; the test that runs this program bounds the wait. */
async function come(status: "stored" | "complete", version: number, product_id = first): Promise<Schemas["Change"]> {
  for (;;) {
    const change = await receipt(version, product_id);
    if (change.status === "complete" || change.status === status) return change;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function tellsItsDifference(): Promise<void> {
  const { changed, before, after, user, source, effects } = await come("complete", 2);
  same("The difference", changed["price"], { before: "1500.00", after: "1600.00" });
  same("Before and after", [before?.price, after.price], ["1500.00", "1600.00"]);
  same("Who, and from where", [user, source], ["ann", "api"]);
  const { stored, purged, searchable, audited } = effects;
  const states = [stored, purged, searchable, audited].map(({ state, at }) => (at ? state : "never"));
  same("The effects", states, ["done", "done", "done", "done"]);
  same("The request that asked for it", (await receipt(3)).requestId, "life-request-1");
  same("What was before the first change", (await receipt(1)).before, null);
}

async function isRestored(): Promise<void> {
  const params = { path: { ...path, version: 1 }, header: { Prefer } };
  const restored = await staff.POST(RESTORE, { params });
  answered("restoreVersion", 200, restored);
  const { price, version, features } = product(restored.data);
  same("The restored product", { price, version, features }, { price: "1500.00", version: 4, features: ["10 GB"] });
  same("The change that restored it", (await receipt(4)).changeType, "UPDATE");
}

async function isTakenAway(): Promise<void> {
  const gone = await staff.DELETE(ONE, { params: { path, header: { Prefer, "If-Match": '"v4"' } } });
  answered("deactivateProduct", 204, gone);
  same("The body of a 204", gone.data, undefined);
  const missed = await anybody.GET(ONE, { params: { path } });
  answered("getProduct", 404, missed);
  const { error, requestId } = given("The error", missed.error);
  same("The error's name and request", [error, requestId], ["Not Found", header(missed.response, "X-Request-ID")]);
  const back = { path: { ...path, version: 4 }, query: { dryRun: "true" } } as const;
  const would = await staff.POST(RESTORE, { params: back });
  same("What a restore would be", dryRun(would.data).changeType, "RESTORE");
  const still = await staff.GET(ONE, { params: { path } });
  same("What staff still see", [still.data?.active, still.data?.version], [false, 5]);
  const left = await anybody.GET(ALL, { params: { query: { sortBy: "price", order: "desc" } } });
  same(
    "What is left",
    left.data?.products.map(({ productId }) => productId),
    [second, third],
  );
}

const life = [
  isCreatedOnce,
  whatIsWrongIsNamed,
  isReadAndKept,
  isListedInPages,
  isFiltered,
  isChangedOnlyAsSeen,
  isSentBackWhole,
  isTriedWithoutTrace,
  hasAHistory,
  tellsItsDifference,
  isRestored,
  isTakenAway,
];
try {
  for (const stage of life) {
    await stage();
    console.log(stage.name);
  }
} catch (reason) {
  console.error(reason instanceof Otherwise ? reason.message : reason);
  process.exitCode = 1;
}
