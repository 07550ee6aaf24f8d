/* The list follows the search box, the filters and its own links: it is replaced in place, with the
   address, the title and the counts of the page. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const UNAVAILABLE = translate("The server does not answer, so this list is out of date. Change the search or a filter to try again.");
  const SIGNED_OUT = `${translate("Your session has ended, so this list is out of date.")} `;
  const searchBox = document.getElementById("searchbar");
  const filters = document.getElementById("filters");
  const note = document.getElementById("list-unavailable");
  const titleEnd = document.title.slice(document.title.lastIndexOf(" | "));
  const list = () => document.getElementById("list");
  let newestRequest = 0;
  let timer;

  const listAddress = () => {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(filters)) {
      if (value.trim()) query.set(name, value.trim());
    }
    const text = query.toString();
    return text ? `?${text}` : "?view=0";
  };

  const showNote = (text, ...links) => {
    note.replaceChildren(text, ...links);
    note.hidden = !text;
  };

  const signInLink = () => {
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = translate("Log in again");
    return link;
  };

  // The boxes say what was not understood, and the order what it is while none is chosen.
  const showRefusals = () => {
    const refusals = JSON.parse(list().dataset.refusals);
    for (const box of filters.querySelectorAll("select, .filter input")) {
      const error = document.getElementById(`error-${box.name}`);
      const sentence = refusals[box.name] || "";
      error.textContent = sentence;
      error.hidden = !sentence;
      if (sentence) box.setAttribute("aria-describedby", error.id);
      box.setAttribute("aria-invalid", String(Boolean(sentence)));
      if (box.name === "sort") box.options[0].textContent = list().dataset.order;
    }
  };

  /* The focus stays at the same control of the same product when its row is replaced. */
  const rememberFocus = () => {
    const focused = document.activeElement;
    const row = list().contains(focused) && focused.closest("tr[data-id]");
    if (!row) return () => {};
    const controls = (of) => [...of.querySelectorAll("a, button, input")];
    const number = controls(row).indexOf(focused);
    return () => {
      const again = list().querySelector(`tr[data-id="${CSS.escape(row.dataset.id)}"]`);
      if (again) controls(again)[number]?.focus({ preventScroll: true });
    };
  };

  const load = async (address, { isStep = false } = {}) => {
    const request = ++newestRequest;
    list().classList.add("busy");
    try {
      const response = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
      const text = await response.text();
      await untilNothingIsPressed();
      if (request !== newestRequest) return; // the answer to a later request will follow
      const page = new DOMParser().parseFromString(text, "text/html");
      const loaded = page.getElementById("list");
      if (response.ok && loaded) {
        showNote("");
        const focusAgain = rememberFocus();
        list().replaceWith(document.adoptNode(loaded));
        focusAgain();
        document.title = `${list().dataset.title}${titleEnd}`;
        if (isStep) history.pushState(null, "", address);
        else history.replaceState(history.state, "", address);
        showRefusals();
        document.dispatchEvent(new CustomEvent("list:loaded"));
        return;
      }
      if (response.status === 401 || response.redirected) showNote(SIGNED_OUT, signInLink());
      else showNote(UNAVAILABLE);
    } catch {
      if (request !== newestRequest) return;
      showNote(UNAVAILABLE);
    }
    list().classList.remove("busy");
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

  // Put what is in the address into the boxes.
  const showFilters = () => {
    const query = new URLSearchParams(location.search);
    for (const box of filters.elements) if (box.name) box.value = query.get(box.name) || "";
  };

  const isListLink = (link) => link.origin === location.origin && link.pathname === location.pathname;

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
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    loadAfter(0);
  });
  filters.addEventListener("change", (event) => event.target !== searchBox && loadAfter(0));
  filters.addEventListener("input", (event) => event.target.matches(".filter input") && loadAfter(400));
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("#list a");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!isListLink(link)) return;
    event.preventDefault();
    const { rel } = link;
    await load(link.search || location.pathname, { isStep: true });
    showFilters();
    if (rel) document.getElementById("filters").scrollIntoView();
  });
  window.addEventListener("popstate", async () => {
    await load(location.search || location.pathname);
    showFilters();
  });
  window.addEventListener("pageshow", (event) => event.persisted && load(location.search || location.pathname));
  document.addEventListener("list:reload", () => load(location.search || location.pathname));
  showRefusals();
});
