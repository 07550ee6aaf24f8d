/**
 * The life of a product, through the collection that Postman's converter makes with its defaults.
 *
 * A person fills in the placeholders of a request and switches off what stays empty. So does this
 * program: methods, paths, headers and authorization are the collection's own.
 */

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import newman from "newman";

const collection = JSON.parse(readFileSync(process.argv[2], "utf8"));
const values = [
  { key: "baseUrl", value: process.env.API_URL },
  { key: "bearerToken", value: process.env.API_TOKEN },
];
const product_id = "POSTMAN";
const Prefer = "wait=10";

function requestsOf(items) {
  return items.flatMap((item) => (item.item ? requestsOf(item.item) : [item]));
}
const requests = requestsOf(collection.item);
assert.equal(new Set(requests.map(({ name }) => name)).size, requests.length);

/** Keeps the parameters that have a value; the others are switched off. */
function filled(parameters, chosen) {
  for (const name of Object.keys(chosen)) assert(parameters.some(({ key }) => key === name), `no parameter ${name}`);
  return parameters.map((given) => ({ ...given, value: chosen[given.key], disabled: !(given.key in chosen) }));
}

/** Sends the collection's request of this name. Returns the response and its JSON. */
async function send(start, { path = {}, query = {}, headers = {}, body, auth } = {}) {
  const found = structuredClone(requests.find(({ name }) => name.startsWith(start)));
  const { request } = found;
  request.url.variable = (request.url.variable ?? []).map((given) => ({ ...given, value: String(path[given.key]) }));
  request.url.query = filled(request.url.query ?? [], query);
  const fixed = request.header.filter(({ key }) => ["Accept", "Content-Type"].includes(key));
  request.header = [...fixed, ...filled(request.header.filter((given) => !fixed.includes(given)), headers)];
  if (body !== undefined) request.body.raw = JSON.stringify(body);
  if (auth !== undefined) request.auth = auth;
  const once = { info: collection.info, auth: collection.auth, item: [found] };
  const run = await new Promise((resolve, reject) => {
    newman.run({ collection: once, globals: { values } }, (error, summary) => (error ? reject(error) : resolve(summary.run)));
  });
  assert.deepEqual(run.failures.map(({ error }) => error.message), []);
  const { response } = run.executions[0];
  const text = response.text();
  return { status: response.code, json: text ? JSON.parse(text) : undefined };
}

const path = { product_id };
const creation = {
  productId: product_id,
  name: "Postman's collection",
  description: "A product of a converted collection.",
  price: "1500.00",
  features: ["10 GB"],
};
const created = await send("Create a product", { headers: { Prefer }, body: creation });
assert.deepEqual([created.status, created.json.version], [201, 1], JSON.stringify(created.json));
const first = (await send("Read a product", { path })).json;
const edits = { price: "1600.00", version: first.version };
const [put, patch] = ["Change a product; omitted fields stay unchanged (same", "Change a product; omitted fields stay unchanged"];
assert.equal((await send(put, { path, headers: { Prefer }, body: edits })).status, 200);
const whole = (await send("Read a product", { path })).json;
const sentBack = await send(patch, { path, headers: { Prefer }, body: { ...whole, features: [...whole.features, "E-mail"] } });
assert.deepEqual([sentBack.status, sentBack.json.features], [200, ["10 GB", "E-mail"]]);

const page = await send("List or search", { query: { ids: product_id, limit: "5" } });
assert.deepEqual(page.json.products.map(({ productId }) => productId), [product_id]);
const history = await send("List the history", { path });
assert.deepEqual(history.json.changes.map(({ version }) => version), [3, 2, 1]);
const receipt = await send("Read one change", { path: { ...path, version: 2 } });
assert.deepEqual([receipt.status, receipt.json.changeType], [200, "UPDATE"]);
for (const asOf of ["1", first.updatedAt]) {
  assert.equal((await send("Read a product", { path, query: { asOf } })).json.price, "1500.00");
}
assert.equal((await send("Deactivate a product", { path, headers: { Prefer } })).status, 204);
assert.equal((await send("Read a product", { path, auth: { type: "noauth" } })).status, 404);
console.log("complete");
