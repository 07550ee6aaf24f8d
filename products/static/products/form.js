/* The form of a new product: its name has the focus, and an ID is suggested from it. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("product_form");
  if (!form) return;

  const name = document.getElementById("id_name");
  const id = document.getElementById("id_product_id");
  if (!name || !id) return;
  let suggested = "";

  const slug = (text) =>
    text
      .normalize("NFKD")
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 64);

  const suggest = () => {
    if (id.value !== suggested) return; // somebody chose another
    suggested = slug(name.value);
    id.value = suggested;
    id.dispatchEvent(new Event("input", { bubbles: true }));
  };
  name.addEventListener("input", suggest);
  name.autofocus = true; // keyboard.js gives it the focus, unless an entry is faulty
  if (!id.value) suggest();
});
