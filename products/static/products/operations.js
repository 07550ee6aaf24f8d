/* The operations page refreshes itself, unless the user is typing a reason in it. */
"use strict";

(() => {
  const REFRESH_MILLISECONDS = 4000;
  let loadedAt = new Date();

  // A button has no id, so it is recognized by its text, label and the hidden inputs of its form.
  const signature = (element) => {
    const inputs = [...(element.form?.elements || [])].filter(
      (input) => input.type === "hidden" && input.name !== "csrfmiddlewaretoken",
    );
    const values = inputs.map((input) => input.value);
    return [element.tagName, element.textContent, element.ariaLabel, ...values].join("|");
  };

  const focusedSignature = (page) => page.contains(document.activeElement) && signature(document.activeElement);

  const restoreFocus = (page, focused) => {
    const elements = [...page.querySelectorAll("a, button, summary")];
    elements.find((element) => signature(element) === focused)?.focus({ preventScroll: true });
  };

  const causeOf = (details) => details.querySelector("summary").textContent;

  const keepClosed = (page, freshPage) => {
    const closed = [...page.querySelectorAll("details")].filter((details) => !details.open);
    const causes = new Set(closed.map(causeOf));
    for (const details of freshPage.querySelectorAll("details")) {
      if (causes.has(causeOf(details))) details.open = false;
    }
  };

  const showOutdatedNote = (page) => {
    const note =
      page.querySelector("#outdated-note") ||
      page.insertAdjacentElement("afterbegin", document.createElement("p"));
    const timeZone = document.querySelector('meta[name="time-zone"]').content;
    const time = loadedAt.toLocaleTimeString(document.documentElement.lang, { timeZone });
    note.id = "outdated-note";
    note.className = "note";
    note.setAttribute("role", "status");
    note.textContent = translate(
      "This page can't be refreshed just now and shows the state at {time}. If this lasts, reload the page.",
      { time },
    );
  };

  const replacePage = (page, freshPage) => {
    keepClosed(page, freshPage);
    const focused = focusedSignature(page);
    page.replaceWith(freshPage);
    if (focused) restoreFocus(freshPage, focused);
    loadedAt = new Date();
  };

  const refresh = async () => {
    const page = document.getElementById("operations");
    const isTyping = () => page.contains(document.activeElement) && document.activeElement.matches("input");
    if (!document.hidden && !isTyping()) {
      try {
        const response = await fetch(location.href);
        const html = new DOMParser().parseFromString(await response.text(), "text/html");
        const freshPage = html.getElementById("operations");
        await untilNothingIsPressed();
        if (!freshPage) showOutdatedNote(page);
        else if (!isTyping()) replacePage(page, freshPage);
      } catch {
        showOutdatedNote(page);
      }
    }
    setTimeout(refresh, REFRESH_MILLISECONDS);
  };
  setTimeout(refresh, REFRESH_MILLISECONDS);
})();
