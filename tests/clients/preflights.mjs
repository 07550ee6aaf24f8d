/** What a browser asks before it lets a portal's page call the API, for each method and each header it would send. */

import axios from "axios";
import { inOrder, same } from "./check.mjs";

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
const PLACES = {
  "/v1.0/products": ["GET", "POST"],
  "/v1.0/products/P1": ["GET", "PUT", "PATCH", "DELETE"],
  "/v1.0/products/P1/changes": ["GET"],
  "/v1.0/products/P1/changes/1": ["GET"],
  "/v1.0/products/P1/changes/1/restore": ["POST"],
};
const QUESTIONS = Object.entries(PLACES).flatMap(([path, methods]) =>
  methods.flatMap((method) => [...HEADERS, HEADERS.join(",")].map((headers) => ({ path, method, headers }))),
);
const ofCors = (headers) => Object.keys(headers).filter((name) => name.startsWith("access-control-"));
const words = (text) =>
  String(text)
    .toLowerCase()
    .split(/\s*,\s*/);
const ask = (origin, { path, method, headers }) =>
  axios.options(API_URL + path, {
    headers: { Origin: origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers },
    validateStatus: null,
  });

async function thePortalMayAskAll() {
  for (const question of QUESTIONS) {
    const { status, headers } = await ask(PORTAL, question);
    const what = `for ${question.method} ${question.path} with ${question.headers}`;
    same(`The preflight's status ${what}`, status, 200);
    same(`Who is allowed ${what}`, headers["access-control-allow-origin"], PORTAL);
    same(
      `Whether the method is ${what}`,
      words(headers["access-control-allow-methods"]).includes(question.method.toLowerCase()),
      true,
    );
    const allowed = words(headers["access-control-allow-headers"]);
    same(
      `What is missing ${what}`,
      words(question.headers).filter((name) => !allowed.includes(name)),
      [],
    );
    same(`How long that holds ${what}`, headers["access-control-max-age"], "3600");
    same(`Whether caches tell origins apart ${what}`, words(headers.vary).includes("origin"), true);
    same(`Whether cookies may come ${what}`, headers["access-control-allow-credentials"], undefined);
  }
}

async function othersMayNot() {
  for (const origin of [
    "https://elsewhere.example.com",
    `${PORTAL}.example.net`,
    PORTAL.replace("https", "http"),
    "null",
  ]) {
    for (const question of QUESTIONS) {
      same(`What ${origin} is told`, ofCors((await ask(origin, question)).headers), []);
    }
    const { headers } = await axios.get(`${API_URL}/v1.0/products`, { headers: { Origin: origin } });
    same(`What ${origin} is told with an answer`, ofCors(headers), []);
  }
}

async function othersPlacesAreNobodys() {
  for (const path of ["/admin/", "/healthz"]) {
    const answer = await ask(PORTAL, { path, method: "GET", headers: "authorization" });
    same(`What the portal is told of ${path}`, ofCors(answer.headers), []);
  }
}

await inOrder(thePortalMayAskAll, othersMayNot, othersPlacesAreNobodys);
