/** The CORS preflights of a browser, for each method and header that a portal's page may use. */

import axios from "axios";
import { expectEqual, runStages } from "./expect.mjs";

const { API_URL, PORTAL } = process.env;
const HEADERS = [
  "authorization",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-none-match",
  "prefer",
  "x-request-id",
];
const PATHS = {
  "/v1.0/products": ["GET", "POST"],
  "/v1.0/products/P1": ["GET", "PUT", "PATCH", "DELETE"],
  "/v1.0/products/P1/changes": ["GET"],
  "/v1.0/products/P1/changes/1": ["GET"],
  "/v1.0/products/P1/changes/1/restore": ["POST"],
};
const PREFLIGHTS = Object.entries(PATHS).flatMap(([path, methods]) =>
  methods.flatMap((method) => [...HEADERS, HEADERS.join(",")].map((headers) => ({ path, method, headers }))),
);
const corsHeaders = (headers) => Object.keys(headers).filter((name) => name.startsWith("access-control-"));
const words = (text) =>
  String(text)
    .toLowerCase()
    .split(/\s*,\s*/);
const sendPreflight = (origin, { path, method, headers }) =>
  axios.options(API_URL + path, {
    headers: { Origin: origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers },
    validateStatus: null,
  });

async function allowsThePortal() {
  for (const preflight of PREFLIGHTS) {
    const { status, headers } = await sendPreflight(PORTAL, preflight);
    const what = `for ${preflight.method} ${preflight.path} with ${preflight.headers}`;
    expectEqual(`The preflight's status ${what}`, status, 200);
    expectEqual(`The allowed origin ${what}`, headers["access-control-allow-origin"], PORTAL);
    expectEqual(
      `Whether the method is allowed ${what}`,
      words(headers["access-control-allow-methods"]).includes(preflight.method.toLowerCase()),
      true,
    );
    const allowed = words(headers["access-control-allow-headers"]);
    expectEqual(
      `The missing headers ${what}`,
      words(preflight.headers).filter((name) => !allowed.includes(name)),
      [],
    );
    expectEqual(`The lifetime ${what}`, headers["access-control-max-age"], "3600");
    expectEqual(`Whether the response varies by origin ${what}`, words(headers.vary).includes("origin"), true);
    expectEqual(`Whether cookies are allowed ${what}`, headers["access-control-allow-credentials"], undefined);
  }
}

async function refusesOtherOrigins() {
  for (const origin of [
    "https://elsewhere.example.com",
    `${PORTAL}.example.net`,
    PORTAL.replace("https", "http"),
    "null",
  ]) {
    for (const preflight of PREFLIGHTS) {
      const response = await sendPreflight(origin, preflight);
      expectEqual(`The CORS headers of a preflight from ${origin}`, corsHeaders(response.headers), []);
    }
    const { headers } = await axios.get(`${API_URL}/v1.0/products`, { headers: { Origin: origin } });
    expectEqual(`The CORS headers of a response to ${origin}`, corsHeaders(headers), []);
  }
}

async function refusesPathsOutsideTheApi() {
  for (const path of ["/admin/", "/healthz"]) {
    const response = await sendPreflight(PORTAL, { path, method: "GET", headers: "authorization" });
    expectEqual(`The CORS headers of ${path}`, corsHeaders(response.headers), []);
  }
}

await runStages(allowsThePortal, refusesOtherOrigins, refusesPathsOutsideTheApi);
