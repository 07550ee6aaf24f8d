/* What was typed into the product form is kept in the browser until it is saved. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const PREFIX = "draft:";
  const MAX_AGE_MILLISECONDS = 7 * 24 * 3600 * 1000;
  const WRITE_DELAY_MILLISECONDS = 250;
  const NOT_KEPT = ["csrfmiddlewaretoken", "base_version", "next"];
  const staff = document.querySelector('meta[name="staff"]')?.content;
  const keyOf = (path) => `${PREFIX}${staff}:${path}`;

  for (const saved of document.querySelectorAll("[data-saved-form]")) localStorage.removeItem(keyOf(saved.dataset.savedForm));
  removeOldDrafts();

  const form = document.getElementById("product_form");
  const note = document.getElementById("draft-note");
  if (!form || !note || !staff) return;
  const key = keyOf(location.pathname);
  const base = document.getElementById("id_base_version");
  const loaded = entries();
  let timer;

  function entries() {
    const kept = [...new FormData(form)].filter(
      ([name, value]) => typeof value === "string" && !NOT_KEPT.includes(name) && !name.startsWith("conflict-"),
    );
    return Object.fromEntries(kept);
  }

  const differ = (one, other) => Object.keys(one).some((name) => name in other && one[name] !== other[name]);

  function write() {
    const typed = entries();
    try {
      if (differ(typed, loaded)) {
        localStorage.setItem(key, JSON.stringify({ at: Date.now(), base: base?.value, entries: typed }));
      } else localStorage.removeItem(key);
    } catch {
      /* Without storage there is no draft; the form itself works. */
    }
  }

  function read() {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  }

  function removeOldDrafts() {
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith(PREFIX)) continue;
      const { at } = JSON.parse(localStorage.getItem(name));
      if (Date.now() - at > MAX_AGE_MILLISECONDS) localStorage.removeItem(name);
    }
  }

  function restore(draft) {
    for (const [name, value] of Object.entries(draft.entries)) {
      const input = form.querySelector(`[name="${name}"]`);
      if (!input || input.value === value) continue;
      if (input.type === "checkbox") input.checked = true;
      else input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    // The entries belong to the version that they were made from: a save merges what others did since.
    if (base && draft.base) base.value = draft.base;
    note.hidden = true;
    form.querySelector("input:not([type=hidden]), textarea")?.focus();
  }

  const draft = read();
  const isRefused = document.querySelector(".errornote") !== null;
  if (draft && !isRefused && differ(draft.entries, loaded)) {
    const time = new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    note.querySelector("span").textContent = translate("What you typed here on {time} was not saved.", { time });
    note.querySelector("[data-restore]").addEventListener("click", () => restore(draft));
    note.querySelector("[data-discard]").addEventListener("click", () => {
      localStorage.removeItem(key);
      note.hidden = true;
    });
    note.hidden = false;
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(write, WRITE_DELAY_MILLISECONDS);
  });
  window.addEventListener("pagehide", () => {
    if (timer) write();
  });
});
