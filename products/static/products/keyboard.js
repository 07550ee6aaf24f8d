/* Keys, and repairs of the theme's frame: its menu at small widths, its icons and its main area. */
"use strict";

document.addEventListener("keydown", (event) => {
  const isSave = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";
  if (!isSave) return;
  const buttons = document.getElementById("submit-row");
  const button = buttons?.querySelector('[name="_continue"]') || buttons?.querySelector('[type="submit"]');
  if (!button) return;
  event.preventDefault();
  button.click();
});

document.addEventListener("alpine:init", () => {
  const OPEN_FROM_WIDTH = 1280; // as the theme's style sheet; its script begins a pixel later
  const themeOf = window.theme;
  let width = window.innerWidth;

  const wantsSidebar = () => window.innerWidth >= OPEN_FROM_WIDTH && localStorage.getItem("sidebarOpen") !== "0";

  window.theme = (...settings) => {
    const data = themeOf(...settings);
    const pressKey = data.themeBindings["x-on:keydown.window"];
    data.sidebarOpen = wantsSidebar();
    data.sidebarToggle = function () {
      this.sidebarOpen = !this.sidebarOpen;
      if (window.innerWidth >= OPEN_FROM_WIDTH) localStorage.setItem("sidebarOpen", this.sidebarOpen ? "1" : "0");
    };
    // A page that only grows in height must not close the menu that was just opened.
    data.themeBindings["x-resize.window"] = function () {
      if (window.innerWidth !== width) this.sidebarOpen = wantsSidebar();
      width = window.innerWidth;
    };
    // In a list of choices, a letter chooses an entry.
    data.themeBindings["x-on:keydown.window"] = function (event) {
      if (!document.activeElement.matches("select")) pressKey.call(this, event);
    };
    return data;
  };

  // The theme shows the palette a frame later and may focus its box before, when it can't take focus.
  const paletteOf = window.searchCommand;
  window.searchCommand = (...settings) => {
    const data = paletteOf(...settings);
    const handleOpen = data.handleOpen;
    data.handleOpen = function () {
      handleOpen.call(this);
      if (!this.openCommandResults) return;
      this.$root.style.removeProperty("display");
      this.$refs.searchInputCommand.focus();
    };
    return data;
  };
});

/* The names of icons are font ligatures, which a screen reader would read aloud. */
const hideIcons = (root) => {
  for (const icon of root.querySelectorAll(".material-symbols-outlined:not(button):not([aria-hidden])")) {
    const control = icon.closest("a, button");
    const isOnlyName = control && !control.ariaLabel && control.textContent.trim() === icon.textContent.trim();
    if (!isOnlyName) icon.setAttribute("aria-hidden", "true");
  }
};

/* A screen reader announces what is added to a live region, but not what a page already has. */
const announceMessages = () => {
  const messages = document.getElementById("messages");
  if (!messages) return;
  const region = document.createElement("div");
  region.setAttribute("role", "status");
  messages.before(region);
  setTimeout(() => region.append(messages), 100);
};

document.addEventListener("DOMContentLoaded", () => {
  // The theme marks no element as the main content, to which a screen reader could jump.
  const main = document.getElementById("main");
  main?.setAttribute("role", "main");
  document.getElementById("content")?.setAttribute("tabindex", "-1");
  const palette = document.getElementById("search-input-command")?.closest("[x-data]");
  if (palette) Object.assign(palette, { role: "dialog", ariaModal: "true", ariaLabel: translate("Search") });
  announceMessages();
  for (const id of ["searchbar-submit", "command-submit"]) document.getElementById(id)?.setAttribute("aria-label", translate("Search"));
  hideIcons(document);
});

/* The first faulty entry has the focus, else what the page names. The theme hides the page until it
   has loaded, and a hidden field can't have the focus. */
window.addEventListener("load", () => {
  const faulty = document.querySelector('#content [aria-invalid="true"]');
  const control = faulty?.hidden ? faulty.nextElementSibling?.querySelector("input, button") : faulty;
  if (control) control.focus();
  else if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
});
document.addEventListener("htmx:afterSwap", () => hideIcons(document));

document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element && event.target.closest("[data-copy]");
  if (!button) return;
  const source = button.dataset.copy.startsWith("#") ? document.querySelector(button.dataset.copy).textContent : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(source);
    button.textContent = translate("Copied");
  } catch {
    button.textContent = translate("Select it and press Ctrl-C");
  }
});
