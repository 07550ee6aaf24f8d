/* The selected products. They stay selected while the search, the filters and the page change, and
   the bar always says how many there are, and how many of them are not in view. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const KEY = "products.selected";
  const bar = document.getElementById("selection-bar");
  const count = document.getElementById("selection-count");
  const note = document.getElementById("selection-note");
  const matching = document.getElementById("select-matching");
  const form = document.getElementById("changelist-form");
  const list = () => document.getElementById("list");
  const boxes = () => [...document.querySelectorAll("#result_list tbody .pick input")];
  const pageBox = () => document.getElementById("select-page");
  const selected = new Set(JSON.parse(sessionStorage.getItem(KEY) || "[]"));
  let filters = null; // the filters of which all matches are selected
  let lastChosen = ""; // the value of the box that was ticked last
  let isRange = false;

  const total = () => list().dataset.total;
  const isRefused = () => list().dataset.refusals !== "{}";

  const matchingText = () => {
    const { description } = list().dataset;
    const number = Number(total());
    const products = total()
      ? translatePlural("all {count} product", "all {count} products", number)
      : translate("all products");
    return description
      ? translate("{products} that match: {description}", { products, description })
      : translate("{products} of the catalogue", { products });
  };

  const showBoxes = () => {
    for (const box of boxes()) {
      box.checked = filters !== null || selected.has(box.value);
      box.closest("tr").classList.toggle("selected", box.checked);
    }
    const head = pageBox();
    if (!head) return;
    const checked = boxes().filter((box) => box.checked).length;
    head.checked = checked > 0 && checked === boxes().length;
    head.indeterminate = checked > 0 && !head.checked;
  };

  const showBar = () => {
    const shown = boxes().filter((box) => selected.has(box.value)).length;
    const hidden = selected.size - shown;
    bar.hidden = !selected.size && filters === null;
    count.textContent =
      filters === null
        ? translatePlural("{count} product selected", "{count} products selected", selected.size)
        : translate("Selected: {products}", { products: matchingText() });
    note.textContent = filters === null && hidden ? translate("({count} not in view)", { count: hidden }) : "";
    const hasMore = boxes().length && boxes().length !== Number(total());
    matching.hidden = filters !== null || !pageBox()?.checked || !hasMore || isRefused();
    matching.textContent = translate("Select {products}", { products: matchingText() });
  };

  const show = () => {
    sessionStorage.setItem(KEY, JSON.stringify([...selected]));
    showBoxes();
    showBar();
  };

  const select = (box, isSelected) => {
    if (isSelected) selected.add(box.value);
    else selected.delete(box.value);
  };

  /* Return the boxes from the one that was ticked last to this one, or only this one. */
  const chosenBoxes = (box) => {
    const all = boxes();
    const ends = [all.findIndex((other) => other.value === lastChosen), all.indexOf(box)].sort((a, b) => a - b);
    return isRange && ends[0] >= 0 ? all.slice(ends[0], ends[1] + 1) : [box];
  };

  // A click comes before the change that it makes, and only the click knows the Shift key.
  document.addEventListener("click", (event) => (isRange = event.shiftKey), true);
  document.addEventListener("change", (event) => {
    if (event.target.matches("#select-page")) {
      filters = null;
      boxes().forEach((box) => select(box, event.target.checked));
    } else if (event.target.matches("#result_list .pick input")) {
      // From "all that match" only what is in view can be kept: the rest has no ids here.
      if (filters !== null) boxes().forEach((box) => select(box, true));
      filters = null;
      for (const box of chosenBoxes(event.target)) select(box, event.target.checked);
      if (isRange) document.getSelection().removeAllRanges();
      lastChosen = event.target.value;
    } else return;
    show();
  });
  matching.addEventListener("click", () => {
    selected.clear();
    filters = list().dataset.filters;
    show();
    document.getElementById("select-none").focus();
  });
  document.getElementById("select-none").addEventListener("click", () => {
    selected.clear();
    filters = null;
    show();
    pageBox()?.focus();
  });
  form.addEventListener("submit", () => {
    form.elements.ids.value = filters === null ? [...selected].join(",") : "";
    form.elements.filters.value = filters || "";
    form.elements.all.value = filters === null ? "" : "yes";
  });
  document.addEventListener("list:loaded", () => {
    // Another filter matches other products: nothing is selected that was not shown.
    if (filters !== null && filters !== list().dataset.filters) filters = null;
    show();
  });
  window.addEventListener("pageshow", show);
  show();
});
