/** A page of the portal in a simulated browser: axios over an XMLHttpRequest that enforces CORS. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import axiosRetry from "axios-retry";
import { JSDOM, VirtualConsole } from "jsdom";
import { expectEqual, runStages, UnexpectedResult } from "./expect.mjs";

const { API_URL, API_TOKEN, PORTAL, OUTAGE } = process.env;
const AXIOS = readFileSync("node_modules/axios/dist/axios.min.js", "utf8");
const STAFF = { Authorization: `Bearer ${API_TOKEN}` };

function pageAt(url) {
  const { window } = new JSDOM("", { url, runScripts: "outside-only", virtualConsole: new VirtualConsole() });
  window.eval(AXIOS);
  return window.axios;
}

function client(axios, headers = {}) {
  return axios.create({ baseURL: `${API_URL}/v1.0`, adapter: "xhr", headers });
}

const axios = pageAt(`${PORTAL}/hosting`);
const staff = client(axios, STAFF);
const product = {
  productId: "PORTAL-1",
  name: "Portal hosting",
  description: "Hosting for a first site.",
  price: "99.00",
};

/** Returns a client that retries as Retry-After says, and the list of its retries. */
function retryingClient(headers, afterRefusal = () => {}) {
  const refusals = [];
  const retrying = client(axios, headers);
  axiosRetry(retrying, {
    retries: 5,
    retryDelay: (count, error) => axiosRetry.exponentialDelay(count, error), // or Retry-After, if that is longer
    retryCondition: (error) => axiosRetry.isRetryableError(error) && isRepeatable(error.config),
    onRetry: (count, { response }) => {
      refusals.push(refusalOf(response));
      afterRefusal();
    },
  });
  return { retrying, refusals };
}

const isRepeatable = ({ method, headers }) => method !== "post" || headers.has("Idempotency-Key");
const refusalOf = ({ status, headers }) => ({ status, after: headers["retry-after"], at: performance.now() });

async function expectRefusal(status, call) {
  try {
    await call;
  } catch (reason) {
    if (!reason.response) throw new UnexpectedResult(`The page can't read the ${status}: ${reason.message}.`);
    expectEqual(`The status (${reason.response.data.message})`, reason.response.status, status);
    const { data, headers } = reason.response;
    expectEqual(`The request's id with ${status}`, headers["x-request-id"], data.requestId);
    return reason.response;
  }
  throw new UnexpectedResult(`Expected a ${status}, but the call succeeded.`);
}

async function listProducts() {
  const { data, headers } = await staff.get("/products", { params: { limit: 1 } });
  expectEqual("data.products", data.products, []);
  expectEqual("The calls allowed", [headers["ratelimit-limit"], headers["ratelimit-reset"]], ["50", "1"]);
  expectEqual("The calls left", Number(headers["ratelimit-remaining"]) < 50, true);
}

async function createOnce() {
  const headers = { Prefer: "wait=10", "Idempotency-Key": "portal-1", "X-Request-ID": "portal-request-1" };
  const created = await staff.post("/products", product, { headers });
  expectEqual("Created", [created.status, created.data.version], [201, 1]);
  const { etag, location, "preference-applied": applied, "x-request-id": id } = created.headers;
  const readableHeaders = [etag, location, applied, id];
  const receipt = "/v1.0/products/PORTAL-1/changes/1";
  expectEqual("The readable headers", readableHeaders, ['"v1"', receipt, "wait=10, until=stored", "portal-request-1"]);
  const again = await staff.post("/products", product, { headers });
  expectEqual("Idempotent-Replayed", again.headers["idempotent-replayed"], "true");
  expectEqual("The replayed product", again.data, created.data);
}

async function changeWithPreconditions() {
  const read = await staff.get("/products/PORTAL-1");
  const conditional = { headers: { "If-None-Match": read.headers.etag }, validateStatus: (status) => status === 304 };
  expectEqual("The ETag of a 304", (await staff.get("/products/PORTAL-1", conditional)).headers.etag, '"v1"');
  const ifUnchanged = { headers: { "If-Match": read.headers.etag } };
  const accepted = await staff.patch("/products/PORTAL-1", { price: "98.00" }, ifUnchanged);
  const { etag, "retry-after": retryAfter } = accepted.headers;
  expectEqual("Accepted", [accepted.status, etag, retryAfter], [202, '"v2"', "1"]);
  const { data } = await staff.get(accepted.headers.location, { baseURL: API_URL });
  expectEqual("The change in the receipt", data.changed.price, { before: "99.00", after: "98.00" });
  await expectRefusal(412, staff.patch("/products/PORTAL-1", { price: "97.00" }, ifUnchanged));
  const clash = await expectRefusal(409, staff.patch("/products/PORTAL-1", { price: "97.00", version: 1 }));
  expectEqual("The conflict", clash.data.conflicts.price, { base: "99.00", yours: "97.00", theirs: "98.00" });
}

async function followNextLink() {
  await staff.post("/products", { ...product, productId: "PORTAL-2", name: "More hosting" });
  const { data, headers } = await staff.get("/products", { params: { limit: 1 } });
  const [, next] = /^<([^>]+)>; rel="next"$/.exec(headers.link) ?? [];
  expectEqual("Whether a next page is linked", typeof next, "string");
  const { data: second } = await staff.get(next, { baseURL: API_URL });
  expectEqual(
    "Both pages",
    [...data.products, ...second.products].map(({ productId }) => productId),
    ["PORTAL-1", "PORTAL-2"],
  );
}

async function readErrors() {
  const wrong = await expectRefusal(400, staff.patch("/products/PORTAL-1", { price: "many" }));
  expectEqual("The field", Object.keys(wrong.data.errors), ["price"]);
  await expectRefusal(404, staff.get("/products/NONE"));
  await expectRefusal(404, staff.get("/no/such/address"));
  await expectRefusal(405, staff.patch("/products", {}));
  await expectRefusal(413, staff.patch("/products/PORTAL-1", { description: "x".repeat(130_000) }));
  await expectRefusal(415, staff.patch("/products/PORTAL-1", "price=1", { headers: { "Content-Type": "text/plain" } }));
  await expectRefusal(401, client(axios, { Authorization: "Bearer made-up" }).get("/products"));
  await expectRefusal(401, client(axios).delete("/products/PORTAL-1"));
}

async function retryAfterThrottling() {
  const { retrying, refusals } = retryingClient();
  for (let calls = 0; !refusals.length && calls < 100; calls++) await retrying.get("/products/PORTAL-1");
  expectEqual("Whether a call was refused", refusals.length > 0, true);
  expectEqual("The refusal", [refusals[0].status, refusals[0].after], [429, "1"]);
  expectEqual("Whether it waited", performance.now() - refusals[0].at > 990, true);
}

async function retryAfterOutage() {
  const { retrying, refusals } = retryingClient(STAFF, () => rmSync(OUTAGE));
  const headers = { Prefer: "wait=10", "Idempotency-Key": "portal-3" };
  writeFileSync(OUTAGE, "");
  const { status } = await retrying.post(
    "/products",
    { ...product, productId: "PORTAL-3", name: "Third hosting" },
    { headers },
  );
  expectEqual("The status in the end", status, 201);
  expectEqual(
    "The refusals before",
    refusals.map(({ status, after }) => [status, after]),
    [[503, "5"]],
  );
  expectEqual("Whether it waited", performance.now() - refusals[0].at > 4990, true);
}

async function refuseOtherOrigins() {
  const otherOrigin = client(pageAt("https://elsewhere.example.com/"), STAFF);
  const calls = [otherOrigin.get("/products"), otherOrigin.patch("/products/PORTAL-1", { price: "1.00" })];
  for (const ended of await Promise.all(calls.map((call) => call.catch((reason) => reason)))) {
    const { message, response } = ended;
    expectEqual("The result in a page of another origin", [message, response], ["Network Error", undefined]);
  }
  expectEqual("The unchanged price", (await staff.get("/products/PORTAL-1")).data.price, "98.00");
}

await runStages(
  listProducts,
  createOnce,
  changeWithPreconditions,
  followNextLink,
  readErrors,
  retryAfterThrottling,
  retryAfterOutage,
  refuseOtherOrigins,
);
