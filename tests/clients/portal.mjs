/** A page of the portal, in a browser's stead: axios as browsers load it, over an XMLHttpRequest that enforces CORS. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import axiosRetry from "axios-retry";
import { JSDOM, VirtualConsole } from "jsdom";
import { inOrder, Otherwise, same } from "./check.mjs";

const { API_URL, API_TOKEN, PORTAL, AWAY } = process.env;
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

/** A client that tries again what may be tried again, as late as it was told to; and what it did. */
function patient(headers, meanwhile = () => {}) {
  const tried = [];
  const made = client(axios, headers);
  axiosRetry(made, {
    retries: 5,
    retryDelay: (count, error) => axiosRetry.exponentialDelay(count, error), // Retry-After, where it is longer
    retryCondition: (error) => axiosRetry.isRetryableError(error) && repeats(error.config),
    onRetry: (count, { response }) => {
      tried.push(refusal(response));
      meanwhile();
    },
  });
  return { made, tried };
}

const repeats = ({ method, headers }) => method !== "post" || headers.has("Idempotency-Key");
const refusal = ({ status, headers }) => ({ status, after: headers["retry-after"], at: performance.now() });

async function refused(status, call) {
  try {
    await call;
  } catch (reason) {
    if (!reason.response) throw new Otherwise(`A ${status} can't be read by the page: ${reason.message}.`);
    same(`The status (${reason.response.data.message})`, reason.response.status, status);
    const { data, headers } = reason.response;
    same(`The request's id with ${status}`, headers["x-request-id"], data.requestId);
    return reason.response;
  }
  throw new Otherwise(`What should be a ${status} succeeded.`);
}

async function listsProducts() {
  const { data, headers } = await staff.get("/products", { params: { limit: 1 } });
  same("data.products", data.products, []);
  same("The calls allowed", [headers["ratelimit-limit"], headers["ratelimit-reset"]], ["50", "1"]);
  same("The calls left", Number(headers["ratelimit-remaining"]) < 50, true);
}

async function createsOnce() {
  const headers = { Prefer: "wait=10", "Idempotency-Key": "portal-1", "X-Request-ID": "portal-request-1" };
  const created = await staff.post("/products", product, { headers });
  same("Created", [created.status, created.data.version], [201, 1]);
  const { etag, location, "preference-applied": applied, "x-request-id": id } = created.headers;
  const readable = [etag, location, applied, id];
  const receipt = "/v1.0/products/PORTAL-1/changes/1";
  same("What can be read of it", readable, ['"v1"', receipt, "wait=10, until=stored", "portal-request-1"]);
  const again = await staff.post("/products", product, { headers });
  same("Idempotent-Replayed", again.headers["idempotent-replayed"], "true");
  same("The replayed product", again.data, created.data);
}

async function changesWhatItRead() {
  const read = await staff.get("/products/PORTAL-1");
  const kept = { headers: { "If-None-Match": read.headers.etag }, validateStatus: (status) => status === 304 };
  same("The ETag of what was kept", (await staff.get("/products/PORTAL-1", kept)).headers.etag, '"v1"');
  const seen = { headers: { "If-Match": read.headers.etag } };
  const accepted = await staff.patch("/products/PORTAL-1", { price: "98.00" }, seen);
  same("Accepted", [accepted.status, accepted.headers.etag, accepted.headers["retry-after"]], [202, '"v2"', "1"]);
  const { data } = await staff.get(accepted.headers.location, { baseURL: API_URL });
  same("The receipt's difference", data.changed.price, { before: "99.00", after: "98.00" });
  await refused(412, staff.patch("/products/PORTAL-1", { price: "97.00" }, seen));
  const clash = await refused(409, staff.patch("/products/PORTAL-1", { price: "97.00", version: 1 }));
  same("The conflict", clash.data.conflicts.price, { base: "99.00", yours: "97.00", theirs: "98.00" });
}

async function goesToTheNextPage() {
  await staff.post("/products", { ...product, productId: "PORTAL-2", name: "More hosting" });
  const { data, headers } = await staff.get("/products", { params: { limit: 1 } });
  const [, next] = /^<([^>]+)>; rel="next"$/.exec(headers.link) ?? [];
  same("Whether a next page is linked", typeof next, "string");
  const { data: second } = await staff.get(next, { baseURL: API_URL });
  same(
    "Both pages",
    [...data.products, ...second.products].map(({ productId }) => productId),
    ["PORTAL-1", "PORTAL-2"],
  );
}

async function readsWhyItWasRefused() {
  const wrong = await refused(400, staff.patch("/products/PORTAL-1", { price: "many" }));
  same("The field", Object.keys(wrong.data.errors), ["price"]);
  await refused(404, staff.get("/products/NONE"));
  await refused(404, staff.get("/no/such/address"));
  await refused(405, staff.patch("/products", {}));
  await refused(413, staff.patch("/products/PORTAL-1", { description: "x".repeat(11_000) }));
  await refused(415, staff.patch("/products/PORTAL-1", "price=1", { headers: { "Content-Type": "text/plain" } }));
  await refused(401, client(axios, { Authorization: "Bearer made-up" }).get("/products"));
  await refused(401, client(axios).delete("/products/PORTAL-1"));
}

async function waitsWhenItCallsTooOften() {
  const { made, tried } = patient();
  for (let calls = 0; !tried.length && calls < 100; calls++) await made.get("/products/PORTAL-1");
  same("Whether it was ever refused", tried.length > 0, true);
  same("What it was told", [tried[0].status, tried[0].after], [429, "1"]);
  same("Whether it waited", performance.now() - tried[0].at > 990, true);
}

async function triesAgainWhenTheDatabaseIsBack() {
  const { made, tried } = patient(STAFF, () => rmSync(AWAY));
  const headers = { Prefer: "wait=10", "Idempotency-Key": "portal-3" };
  writeFileSync(AWAY, "");
  const { status } = await made.post(
    "/products",
    { ...product, productId: "PORTAL-3", name: "Late hosting" },
    { headers },
  );
  same("Created at last", status, 201);
  same(
    "What it was told before",
    tried.map(({ status, after }) => [status, after]),
    [[503, "5"]],
  );
  same("Whether it waited", performance.now() - tried[0].at > 4990, true);
}

async function isRefusedElsewhere() {
  const foreign = client(pageAt("https://elsewhere.example.com/"), STAFF);
  const calls = [foreign.get("/products"), foreign.patch("/products/PORTAL-1", { price: "1.00" })];
  for (const ended of await Promise.all(calls.map((call) => call.catch((reason) => reason)))) {
    same("What a foreign page gets", [ended.message, ended.response], ["Network Error", undefined]);
  }
  same("The price it wanted to set", (await staff.get("/products/PORTAL-1")).data.price, "98.00");
}

await inOrder(
  listsProducts,
  createsOnce,
  changesWhatItRead,
  goesToTheNextPage,
  readsWhyItWasRefused,
  waitsWhenItCallsTooOften,
  triesAgainWhenTheDatabaseIsBack,
  isRefusedElsewhere,
);
