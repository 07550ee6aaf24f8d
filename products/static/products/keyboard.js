/* Ctrl-S saves. The theme has the other keys: "/" searches and "?" lists all keys. */
"use strict";

document.addEventListener("keydown", (event) => {
  const isSave = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";
  if (!isSave) return;
  const buttons = document.getElementById("submit-row");
  const button = buttons?.querySelector('[name="_continue"]') || buttons?.querySelector('[type="submit"]');
  if (!button) return;
  event.preventDefault();
  button.click();
});

// The theme marks no element as the main content, to which a screen reader could jump.
document.addEventListener("DOMContentLoaded", () => document.getElementById("main")?.setAttribute("role", "main"));
