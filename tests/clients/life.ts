/* A product's whole life through a client generated from deploy/openapi.yaml. What the contract does not say does not
   compile; what the server does not do ends this program with a sentence. */

import createClient from "openapi-fetch";
import type { components, paths } from "./built/api.js";

declare const process: { argv: string[] };

type Product = components["schemas"]["Product"];

const [base = "", token = ""] = process.argv.slice(2);
const staff = createClient<paths>({ baseUrl: base, headers: { Authorization: `Bearer ${token}` } });
const portal = createClient<paths>({ baseUrl: base });
const id = `life-${Date.now()}`;
const of = { path: { product_id: id } };
const waiting = { Prefer: "wait=10, until=stored" };

function same<T>(what: string, found: T, wanted: T): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`);
}

function there<T>(what: string, value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error(`${what} is missing`);
  return value;
}

/** A write's answer is the product, a dry run or a receipt; which one, its fields tell. */
function product(answer: components["schemas"]["Saved"] | components["schemas"]["ReceiptSummary"] | undefined): Product {
  if (answer && "price" in answer) return answer;
  throw new Error(`no product but ${JSON.stringify(answer)}`);
}

const fresh = {
  productId: id,
  name: `Hosting ${id}`,
  description: "WordPress hosting for a first site.",
  price: "1500.00",
  renewalPrice: "1000.00",
  billingCycle: "yearly" as const,
  features: ["Mail", "Web"],
};

// Created, once whatever is repeated
const asked = { body: fresh, params: { header: { ...waiting, "Idempotency-Key": id } } };
const created = await staff.POST("/v1.0/products", asked);
same("status of the creation", created.response.status, 201);
same("period", product(created.data).period, "once-off + R1000/year");
const repeated = await staff.POST("/v1.0/products", asked);
same("replayed", repeated.response.headers.get("Idempotent-Replayed"), "true");
const reused = await staff.POST("/v1.0/products", { ...asked, body: { ...fresh, price: "1.00" } });
same("status of a key used twice", reused.response.status, 422);

// Read by the portal, with the version as its tag
const read = await portal.GET("/v1.0/products/{product_id}", { params: of });
const tag = there("ETag", read.response.headers.get("ETag"));
same("tag", [tag, read.data?.price, read.data?.updatedBy], ['"v1"', "1500.00", undefined]);
const cached = await portal.GET("/v1.0/products/{product_id}", { params: { ...of, header: { "If-None-Match": tag } } });
same("status when nothing is new", cached.response.status, 304);

// Listed, page by page, each product once
const seen: string[] = [];
let startAt: string | undefined;
do {
  const query = { limit: 2, currency: "ZAR" as const, sortBy: "price" as const, ...(startAt ? { startAt } : {}) };
  const page = there("page", (await portal.GET("/v1.0/products", { params: { query } })).data);
  seen.push(...page.products.map((listed) => listed.productId));
  startAt = page.nextStartAt ?? undefined;
} while (startAt);
same("times seen", seen.filter((found) => found === id).length, 1);
same("doubles", new Set(seen).size, seen.length);

// Tried, changed, and refused in each way
const tried = await staff.PATCH("/v1.0/products/{product_id}", {
  params: { ...of, query: { dryRun: "true" } },
  body: { price: "1600.00" },
});
if (!tried.data || !("dryRun" in tried.data)) throw new Error("a dry run that is none");
same("what would change", tried.data.changed["price"], { before: "1500.00", after: "1600.00" });
const changed = await staff.PATCH("/v1.0/products/{product_id}", {
  params: { ...of, header: { ...waiting, "If-Match": tag } },
  body: { price: "1600.00" },
});
same("version after the change", product(changed.data).version, 2);
const late = await staff.PATCH("/v1.0/products/{product_id}", {
  params: { ...of, header: { "If-Match": tag } },
  body: { price: "1700.00" },
});
same("status with an old tag", [late.response.status, late.error?.version], [412, 2]);
const clash = await staff.PATCH("/v1.0/products/{product_id}", { params: of, body: { price: "1800.00", version: 1 } });
same("status of a conflict", clash.response.status, 409);
same("both values", clash.error?.conflicts?.["price"], { base: "1500.00", yours: "1800.00", theirs: "1600.00" });
const wrong = await staff.PATCH("/v1.0/products/{product_id}", { params: of, body: { price: "0" } });
same("what is wrong", wrong.error?.errors["price"], ["Must be between 0.01 and 999999.99."]);

// Many at once
const batch = await staff.POST("/v1.0/products:batch", {
  body: { mode: "each", items: [{ action: "update", productId: id, product: { price: "1650.00" } }, { action: "deactivate", productId: "nobody" }] },
  params: { header: waiting },
});
const results = there("results", batch.data).results;
same("codes", [batch.response.status, ...results.map((result) => result.code)], [207, 200, 404]);

// Followed, looked back at, restored
const receipt = await staff.GET("/v1.0/products/{product_id}/changes/{version}", { params: { path: { product_id: id, version: 2 } } });
same("receipt", [receipt.data?.changeType, receipt.data?.effects.stored.state], ["UPDATE", "done"]);
const history = await staff.GET("/v1.0/products/{product_id}/changes", { params: of });
same("history", history.data?.changes.map((change) => change.version), [3, 2, 1]);
const back = await staff.POST("/v1.0/products/{product_id}/changes/{version}/restore", {
  params: { path: { product_id: id, version: 1 }, header: waiting },
});
same("price after going back", product(back.data).price, "1500.00");
const then = await staff.GET("/v1.0/products/{product_id}", { params: { ...of, query: { asOf: 2 } } });
same("price as of version 2", then.data?.price, "1600.00");

// Taken away
const gone = await staff.DELETE("/v1.0/products/{product_id}", { params: { ...of, header: waiting } });
same("status of the end", gone.response.status, 204);
same("status for the public", (await portal.GET("/v1.0/products/{product_id}", { params: of })).response.status, 404);
const refused = await portal.DELETE("/v1.0/products/{product_id}", { params: of });
same("status without a token", refused.response.status, 401);
console.log("a whole life");
