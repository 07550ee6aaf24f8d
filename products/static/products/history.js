/* The entries of changes that are not complete yet follow their effects. */
"use strict";

(() => {
  const FIRST_POLL_MILLISECONDS = 1000;
  const MAX_POLL_MILLISECONDS = 15000;
  const OPEN = '.timeline li:has(.state[data-state="accepted"], .state[data-state="stored"])';

  // The request's details stay as the reader has opened them.
  const update = (entry, fresh) => {
    entry.querySelector(".state").replaceWith(fresh.querySelector(".state"));
    for (const effect of entry.querySelectorAll(".effect")) effect.remove();
    entry.querySelector(".effects").prepend(...fresh.querySelectorAll(".effect"));
  };

  const poll = async (delay) => {
    if (!document.hidden) {
      try {
        const response = await fetch(location.href);
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        for (const entry of document.querySelectorAll(OPEN)) {
          const fresh = page.getElementById(entry.id);
          if (fresh) update(entry, fresh);
        }
      } catch {
        /* The server is unavailable for a moment; the next poll asks again. */
      }
    }
    schedule(Math.min(2 * delay, MAX_POLL_MILLISECONDS));
  };

  const schedule = (delay) => {
    if (document.querySelector(OPEN)) setTimeout(() => poll(delay), delay);
  };

  schedule(FIRST_POLL_MILLISECONDS);
})();
