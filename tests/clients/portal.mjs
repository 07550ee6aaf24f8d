/* The customer portal: axios over a browser's XMLHttpRequest (jsdom's, which sends preflights and hides what CORS does not
   show). Prints what it saw as JSON; tests/test_clients.py knows what it must have seen. */

import { JSDOM, VirtualConsole } from "jsdom";

const [base, token, origin, id] = process.argv.slice(2);
const quiet = new VirtualConsole();
const { window } = new JSDOM("<!doctype html>", { url: `${origin}/`, virtualConsole: quiet });
Object.assign(globalThis, { window, document: window.document, XMLHttpRequest: window.XMLHttpRequest, FormData: window.FormData });
const { default: axios } = await import("axios");

const api = axios.create({ baseURL: `${base}/v1.0`, adapter: "xhr", timeout: 15000 });
api.interceptors.response.use(undefined, async (fault) => {
  const { config, response } = fault;
  if (!response || (response.status < 500 && response.status !== 429) || (config.tries ?? 0) >= 2) throw fault;
  config.tries = (config.tries ?? 0) + 1;
  const seconds = Number(response.headers["retry-after"] ?? 1);
  await new Promise((go) => setTimeout(go, Math.min(seconds, 1) * 1000));
  return api(config);
});

const staff = { Authorization: `Bearer ${token}` };
const seen = {};
const shown = ({ status, data, headers }) => ({ status, data, headers: Object.fromEntries(Object.entries(headers)) });

async function see(name, call) {
  try {
    seen[name] = shown(await call());
  } catch (fault) {
    seen[name] = fault.response ? shown(fault.response) : { blocked: fault.code ?? String(fault) };
  }
}

await see("list", () => api.get("/products", { params: { limit: 1 } }));
await see("create", () =>
  api.post(
    "/products",
    { productId: id, name: `Hosting ${id}`, description: "Made by the portal.", price: "10.00" },
    { headers: { ...staff, "Idempotency-Key": `key-${id}`, Prefer: "wait=10", "X-Request-ID": `portal-${id}` } },
  ),
);
await see("patch", () => api.patch(`/products/${id}`, { price: "11.00" }, { headers: { ...staff, "If-Match": '"v1"' } }));
await see("late", () => api.patch(`/products/${id}`, { price: "12.00" }, { headers: { ...staff, "If-Match": '"v1"' } }));
await see("put", () => api.put(`/products/${id}`, { price: "0" }, { headers: staff }));
await see("read", () => api.get(`/products/${id}`, { headers: { ...staff, "If-None-Match": '"v0"' } }));
await see("missing", () => api.get("/products/nobody"));
await see("anonymous", () => api.delete(`/products/${id}`));
await see("delete", () => api.delete(`/products/${id}`, { headers: { ...staff, Prefer: "wait=10" } }));
await see("cookies", () => api.get("/products", { withCredentials: true }));
console.log(JSON.stringify(seen));
window.close();
