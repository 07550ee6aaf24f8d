/* Two people changed the same field: choosing a side puts its value into the field, where it can
   still be edited. */
"use strict";

document.addEventListener("change", (event) => {
  const choice = event.target;
  const conflict = choice instanceof Element && choice.closest("[data-conflict]");
  if (!conflict || !choice.matches("input[type=radio]")) return;
  const field = document.getElementById(conflict.dataset.conflict);
  field.value = choice.dataset.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
