/* The page of a job that is planned or running shows its progress, and reloads afterwards. */
"use strict";

(() => {
  const POLL_MILLISECONDS = 700;
  const job = document.getElementById("job");
  if (!job.dataset.progress) return;
  const bar = job.querySelector("progress");
  const text = document.getElementById("job-progress");

  const show = (progress) => {
    const { done, rows, state } = progress;
    bar.max = progress.rows || 1;
    bar.value = progress.done;
    const isRead = state === "planning";
    const sentence = isRead ? translate("{done} of {rows} read", { done, rows }) : translate("{done} of {rows} done", { done, rows });
    if (rows) text.textContent = sentence;
    for (const [name, count] of Object.entries(progress.counts)) {
      const element = job.querySelector(`[data-count="${name}"]`);
      if (element) element.textContent = count;
    }
  };

  const poll = async () => {
    try {
      const response = await fetch(job.dataset.progress, { headers: { Accept: "application/json" } });
      if (response.ok) {
        const progress = await response.json();
        show(progress);
        if (progress.state !== job.dataset.jobState) {
          await untilNothingIsPressed();
          return location.reload();
        }
      }
    } catch {
      /* The server is unavailable for a moment; the job runs without this page. */
    }
    setTimeout(poll, POLL_MILLISECONDS);
  };
  poll();
})();
