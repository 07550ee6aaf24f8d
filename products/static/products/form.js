/* The product form: the first error gets the focus, and an ID is suggested from the name. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("product_form");
  if (!form) return;

  // The theme hides the page until it has loaded, and a hidden field can't have the focus.
  window.addEventListener("load", () => {
    const faulty = form.querySelector('[aria-invalid="true"]');
    const control = faulty?.hidden ? faulty.nextElementSibling?.querySelector("input, button") : faulty;
    control?.focus();
  });

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
  if (!id.value) suggest();
});
