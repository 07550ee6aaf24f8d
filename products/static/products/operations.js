/* The page keeps itself fresh, unless somebody is typing a reason in it. */
"use strict";

(() => {
  const EVERY = 4000;
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
          page.replaceWith(fresh);
        }
      } catch {
        /* The server is away for a moment. */
      }
    }
    setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
})();
