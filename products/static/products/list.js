/* The list answers while somebody types: search and filters replace it in place, and the address goes along. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("searchbar");
  const filters = document.getElementById("filters");
  const PLACES = ["#list-head", "#cells", "#list-foot"];
  let asked = 0;
  let timer;

  const address = () => {
    const query = new URLSearchParams();
    if (box && box.value.trim()) query.set("q", box.value.trim());
    for (const [name, value] of new FormData(filters)) if (name !== "q" && value.trim()) query.set(name, value.trim());
    const text = query.toString();
    return text ? `?${text}` : location.pathname;
  };

  const load = async (where, { keep = true } = {}) => {
    const mine = ++asked;
    document.getElementById("cells").style.opacity = ".6";
    try {
      const answer = await fetch(where, { headers: { "X-Requested-With": "fetch" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== asked) return; // a newer answer is on its way
      document.getElementById("list-away").hidden = true;
      if (!fresh.querySelector("#cells")) return location.assign(where);
      for (const place of PLACES) document.querySelector(place)?.replaceWith(fresh.querySelector(place));
      if (keep) history.replaceState(null, "", where);
      document.dispatchEvent(new CustomEvent("list:loaded"));
    } catch {
      if (mine !== asked) return;
      document.getElementById("cells").style.opacity = "";
      document.getElementById("list-away").hidden = false;
    }
  };

  const soon = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(() => load(address()), wait);
  };

  if (box) {
    box.setAttribute("aria-label", "Search products");
    box.addEventListener("input", () => soon(250));
    box.addEventListener("keydown", async (event) => {
      if (event.key === "Escape" && box.value) {
        event.preventDefault();
        event.stopPropagation();
        box.value = "";
        soon(0);
      } else if (event.key === "Enter") {
        event.preventDefault();
        clearTimeout(timer);
        await load(address());
        const links = document.querySelectorAll("#result_list a.name");
        if (links.length === 1) links[0].click();
      }
    });
  }
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    soon(0);
  });
  filters.addEventListener("change", () => soon(0));
  filters.addEventListener("input", (event) => event.target.matches("input") && soon(400));
});
