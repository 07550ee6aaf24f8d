/* The list of jobs follows those that run, and reloads when one of them ends. */
"use strict";

(() => {
  const POLL_MILLISECONDS = 1000;

  const follow = async (row) => {
    try {
      const response = await fetch(row.dataset.progress, { headers: { Accept: "application/json" } });
      if (response.ok) {
        const progress = await response.json();
        row.querySelector("progress").value = progress.done;
        const { done, rows } = progress;
        row.querySelector("[data-done]").textContent = translate("{done} of {rows}", { done, rows });
        if (progress.state !== "running") {
          await untilNothingIsPressed();
          return location.reload();
        }
      }
    } catch {
      /* The server is unavailable for a moment; the job runs without this page. */
    }
    setTimeout(() => follow(row), POLL_MILLISECONDS);
  };

  for (const row of document.querySelectorAll("tr[data-progress]")) follow(row);
})();
