/** The life of a product, through a client of Orval. */

import { strict as assert } from "node:assert";
import * as api from "./client.js";

const id = process.env["PRODUCT_ID"] ?? "";
const headers = { Authorization: `Bearer ${process.env["API_TOKEN"] ?? ""}` };
const waiting = { headers: { ...headers, Prefer: "wait=10" } };
const host = process.env["API_URL"] ?? "";
const sent = globalThis.fetch;
globalThis.fetch = (url, options) => sent(new URL(String(url), host), options);

/** Returns the product as it is now, or as of a version or time. */
async function read(asOf?: string): Promise<api.Product> {
  const found = await api.getProduct(id, asOf === undefined ? undefined : { asOf }, { headers });
  assert(found.status === 200);
  return found.data;
}

const creation = {
  productId: id,
  name: `Orval ${id}`,
  description: "A product of a generated client.",
  price: "1500.00",
  features: ["10 GB"],
};
const created = await api.createProduct(creation, undefined, waiting);
assert(created.status === 201);
assert.equal(created.data.version, 1);

const first = await read();
const edited = await api.patchProduct(id, { price: "1600.00", version: first.version }, undefined, waiting);
assert(edited.status === 200);
assert.deepEqual([edited.data.price, edited.data.version], ["1600.00", 2]);

const whole = await read();
const put = await api.updateProduct(id, { ...whole, features: [...whole.features, "E-mail"] }, undefined, waiting);
assert(put.status === 200);
assert.deepEqual(put.data.features, ["10 GB", "E-mail"]);

const page = await api.listProducts({ ids: [id], limit: 5 }, { headers });
assert(page.status === 200);
assert.deepEqual(page.data.products.map(({ productId }) => productId), [id]);
const history = await api.listChanges(id, undefined, { headers });
assert(history.status === 200);
assert.deepEqual(history.data.changes.map(({ version }) => version), [3, 2, 1]);
const receipt = await api.getReceipt(id, 2, { headers });
assert(receipt.status === 200);
assert.equal(receipt.data.changeType, api.ChangeTypeEnum.UPDATE_CHANGE_TYPE);
assert.equal((await read("1")).price, "1500.00");
assert.equal((await read(first.updatedAt)).price, "1500.00");

assert.equal((await api.deactivateProduct(id, undefined, waiting)).status, 204);
assert.equal((await api.getProduct(id)).status, 404);
console.log("complete");
