/* The page of a plan waits for the next step, and reloads when the plan's state changes. */
"use strict";

(() => {
  const POLL_MILLISECONDS = 1000;
  const MAX_TIMEOUT = 2 ** 31 - 1;
  const plan = document.getElementById("plan");

  // Of several questions, only one is open, and a refused one can be closed with the Escape key.
  const questions = [...document.querySelectorAll(".ask")];
  for (const question of questions) {
    question.addEventListener("toggle", () => {
      if (!question.open) return;
      for (const other of questions) if (other !== question) other.open = false;
    });
    question.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      question.open = false;
      question.querySelector("summary").focus();
    });
  }

  if (!plan.dataset.due) return;
  const delay = Math.max(0, new Date(plan.dataset.due) - Date.now());
  if (delay > MAX_TIMEOUT) return;

  const poll = async () => {
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      const state = fresh.getElementById("plan")?.dataset.state;
      if (state && state !== plan.dataset.state) {
        await untilNothingIsPressed();
        return location.reload();
      }
    } catch {
      /* The server is unavailable for a moment; the plan is made without this page. */
    }
    setTimeout(poll, POLL_MILLISECONDS);
  };
  setTimeout(poll, delay);
})();
