/** The life of a product, through the typescript-fetch client of openapi-generator. */

import { strict as assert } from "node:assert";
import { Configuration, PlansApi, ProductsApi, ResponseError } from "./client/index.js";

const productId = "TS-FETCH";
const prefer = "wait=10";
const basePath = process.env["API_URL"] ?? "";
const api = new ProductsApi(new Configuration({ basePath, accessToken: process.env["API_TOKEN"] ?? "" }));

const productCreation = {
  productId,
  name: "TypeScript by openapi-generator",
  description: "A product of a generated client.",
  price: "1500.00",
  features: ["10 GB"],
};
const created = await api.createProductRaw({ productCreation, prefer });
assert.equal(created.raw.status, 201);
assert.equal((await created.value()).version, 1);

const first = await api.getProduct({ productId });
const patchedProductEdits = { price: "1600.00", version: first.version };
const edited = await api.patchProduct({ productId, patchedProductEdits, prefer });
assert.deepEqual([edited.price, edited.version], ["1600.00", 2]);

const whole = await api.getProduct({ productId });
const productEdits = { ...whole, features: [...whole.features, "E-mail"] };
const put = await api.updateProduct({ productId, productEdits, prefer });
assert.deepEqual(put.features, ["10 GB", "E-mail"]);

const page = await api.listProducts({ ids: [productId], limit: 5 });
assert.deepEqual(page.products.map((product) => product.productId), [productId]);
const history = await api.listChanges({ productId });
assert.deepEqual(history.changes.map(({ version }) => version), [3, 2, 1]);
assert.equal((await api.getReceipt({ productId, version: 2 })).changeType, "UPDATE");
assert.equal((await api.getProduct({ productId, asOf: "1" })).price, "1500.00");
const asOf = first.updatedAt.toISOString().replace("Z", "999Z"); // a Date has no microseconds
assert.equal((await api.getProduct({ productId, asOf })).price, "1500.00");

const plans = new PlansApi(new Configuration({ basePath, accessToken: process.env["API_TOKEN"] ?? "" }));

/** Waits until the plan is in this state. */
async function reached(planId: string, state: string): Promise<void> {
  while ((await plans.getPlan({ planId })).state !== state) await new Promise((next) => setTimeout(next, 50));
}

const endsAt = new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString();
const planCreation = { name: "Offer", endsAt, rows: [{ productId, edits: { price: "1400.00" } }] };
const { planId = "" } = await plans.createPlan({ planCreation });
await reached(planId, "running");
assert.equal((await api.getProduct({ productId })).price, "1400.00");
assert.equal((await plans.listPlanRows({ planId })).rows[0]?.start?.state, "applied");
await plans.endPlan({ planId });
await reached(planId, "ended");
assert.equal((await api.getProduct({ productId })).price, "1600.00");

assert.equal((await api.deactivateProductRaw({ productId, prefer })).raw.status, 204);
const visitor = new ProductsApi(new Configuration({ basePath }));
await assert.rejects(
  visitor.getProduct({ productId }),
  (refused) => refused instanceof ResponseError && refused.response.status === 404,
);
console.log("complete");
