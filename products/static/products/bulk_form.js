/* The bulk form shows only the fields of the chosen action, and names what is typed. */
"use strict";

(() => {
  const PRICE_FIELDS = ["field", "way", "by", "rounding"];
  const LABELS = {
    percent: translate("Percent (%)"),
    amount: translate("Amount to add"),
    set: translate("New price"),
  };
  const form = document.getElementById("bulk-form");
  const action = form.querySelector("[name=doing]");
  const way = form.querySelector("[name=way]");
  const rowOf = (name) => form.querySelector(`[data-field=${name}]`);

  const showFields = () => {
    const isPriceChange = action.value === "price";
    for (const name of PRICE_FIELDS) rowOf(name).hidden = !isPriceChange;
    if (way.value === "set") rowOf("rounding").hidden = true;
    rowOf("by").querySelector("label").textContent = LABELS[way.value];
  };
  form.addEventListener("change", showFields);
  showFields();
})();
