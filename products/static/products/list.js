/* The list follows the search box and the filters: it is replaced in place, and the address of the
   page changes with it. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const PARTS = ["#list-head", "#list-rows", "#list-foot"];
  const searchBox = document.getElementById("searchbar");
  const filters = document.getElementById("filters");
  const rows = () => document.getElementById("list-rows");
  const unavailableNote = document.getElementById("list-unavailable");
  let newestRequest = 0;
  let timer;

  const listAddress = () => {
    const query = new URLSearchParams();
    if (searchBox && searchBox.value.trim()) query.set("q", searchBox.value.trim());
    for (const [name, value] of new FormData(filters)) {
      if (name !== "q" && value.trim()) query.set(name, value.trim());
    }
    const text = query.toString();
    return text ? `?${text}` : location.pathname;
  };

  const load = async (address) => {
    const request = ++newestRequest;
    rows().style.opacity = ".6";
    try {
      const response = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (request !== newestRequest) return; // the answer to a later request will follow
      unavailableNote.hidden = true;
      if (!page.querySelector("#list-rows")) return location.assign(address);
      for (const part of PARTS) document.querySelector(part)?.replaceWith(page.querySelector(part));
      history.replaceState(null, "", address);
      document.dispatchEvent(new CustomEvent("list:loaded"));
    } catch {
      if (request !== newestRequest) return;
      rows().style.opacity = "";
      unavailableNote.hidden = false;
    }
  };

  const loadAfter = (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(() => load(listAddress()), milliseconds);
  };

  const openSingleMatch = async () => {
    clearTimeout(timer);
    await load(listAddress());
    const links = document.querySelectorAll("#result_list a.name");
    if (links.length === 1) links[0].click();
  };

  if (searchBox) {
    searchBox.setAttribute("aria-label", "Search products");
    searchBox.addEventListener("input", () => loadAfter(250));
    searchBox.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && searchBox.value) {
        event.preventDefault();
        event.stopPropagation();
        searchBox.value = "";
        loadAfter(0);
      } else if (event.key === "Enter") {
        event.preventDefault();
        openSingleMatch();
      }
    });
  }
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    loadAfter(0);
  });
  filters.addEventListener("change", () => loadAfter(0));
  filters.addEventListener("input", (event) => event.target.matches("input") && loadAfter(400));
});
