/* A running job's page follows it and is loaded anew when it ends; the bulk form shows only the lines that matter. */
"use strict";

(() => {
  const job = document.getElementById("job");
  if (job && job.dataset.progress) follow();

  function follow() {
    const bar = job.querySelector("progress");
    const said = document.getElementById("job-said");
    const look = async () => {
      try {
        const answer = await fetch(job.dataset.progress, { headers: { Accept: "application/json" } });
        if (answer.ok) {
          const body = await answer.json();
          bar.value = body.done;
          said.textContent = `${body.done} of ${body.rows} done`;
          for (const [state, count] of Object.entries(body.counts)) {
            const shown = job.querySelector(`[data-count="${state}"]`);
            if (shown) shown.textContent = count;
          }
          if (body.state !== "running") return location.reload();
        }
      } catch {
        /* The server is away for a moment; the job goes on without us. */
      }
      setTimeout(look, 700);
    };
    look();
  }

  const form = document.getElementById("bulk-form");
  if (form) {
    const doing = form.querySelector("[name=doing]");
    const settle = () => {
      for (const name of ["field", "way", "by", "rounding"]) form.querySelector(`[data-line=${name}]`).hidden = doing.value !== "price";
      form.querySelector("[data-line=rounding]").hidden ||= form.querySelector("[name=way]").value === "set";
    };
    form.addEventListener("change", settle);
    settle();
  }
})();
