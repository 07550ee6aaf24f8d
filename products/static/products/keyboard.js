/* Ctrl-S saves. The theme has the other keys: "/" finds, "?" lists them all. */
"use strict";

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "s") return;
  const save = document.querySelector('#submit-row [name="_continue"]') || document.querySelector('#submit-row [type="submit"]');
  if (!save) return;
  event.preventDefault();
  save.click();
});

// The theme marks nothing as the page's content, to which a screen reader could jump.
document.addEventListener("DOMContentLoaded", () => document.getElementById("main")?.setAttribute("role", "main"));
