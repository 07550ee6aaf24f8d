/* Two people changed the same field: choosing a side puts its value into the field, where it can still be edited. */
"use strict";

document.addEventListener("change", (event) => {
  const choice = event.target;
  const clash = choice instanceof Element && choice.closest("[data-clash]");
  if (!clash || !choice.matches("input[type=radio]")) return;
  const field = document.getElementById(clash.dataset.clash);
  field.value = choice.dataset.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
