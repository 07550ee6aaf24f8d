/* The page keeps itself fresh, unless somebody is typing a reason in it. */
"use strict";

(() => {
  const EVERY = 4000;
  let loaded = new Date();

  // What the keyboard is on stays on it, although the page beneath is new.
  const mark = (one) => [one.tagName, one.textContent, one.ariaLabel, ...[...(one.form?.elements || [])].filter((input) => input.type === "hidden" && input.name !== "csrfmiddlewaretoken").map((input) => input.value)].join("|");
  const hold = (page, fresh) => {
    const held = page.contains(document.activeElement) && mark(document.activeElement);
    return () => held && [...fresh.querySelectorAll("a, button, summary")].find((one) => mark(one) === held)?.focus({ preventScroll: true });
  };

  const tell = (page) => {
    const line = page.querySelector("#stale") || page.insertAdjacentElement("afterbegin", document.createElement("p"));
    line.id = "stale";
    line.className = "note";
    line.setAttribute("role", "status");
    line.textContent = `No news at the moment: this is how it was at ${loaded.toISOString().slice(11, 19)} UTC. If it stays so, load the page anew.`;
  };

  const look = async () => {
    const page = document.getElementById("operations");
    const busy = page.contains(document.activeElement) && document.activeElement.matches("input");
    if (!document.hidden && !busy) {
      try {
        const answer = await fetch(location.href);
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("operations");
        if (fresh) {
          const open = new Set([...page.querySelectorAll("details")].filter((one) => !one.open).map((one) => one.querySelector("summary").textContent));
          for (const one of fresh.querySelectorAll("details")) if (open.has(one.querySelector("summary").textContent)) one.open = false;
          const again = hold(page, fresh);
          page.replaceWith(fresh);
          again();
          loaded = new Date();
        } else tell(page);
      } catch {
        tell(page);
      }
    }
    setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
})();
