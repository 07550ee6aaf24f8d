/* The receipt beside the form follows the write to its last effect, and says when somebody else has saved. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const receipt = document.getElementById("receipt");
  if (!receipt) return;
  const notice = document.getElementById("moved-on");
  const SOON = 700;
  const LATER = 15000;

  const tell = (newer) => {
    notice.hidden = !newer;
    if (!newer) return;
    const fields = newer.fields.length ? newer.fields.join(", ") : "nothing that differs";
    notice.textContent = `${newer.by} saved version ${newer.version} at ${newer.at.slice(11, 19)} UTC (${fields}). Your entries are kept; saving merges them.`;
  };

  let timer;
  const look = async () => {
    clearTimeout(timer);
    let next = LATER;
    if (!document.hidden) {
      try {
        const answer = await fetch(receipt.dataset.url, { headers: { Accept: "application/json" } });
        if (answer.ok) {
          const body = await answer.json();
          if (receipt.innerHTML !== body.html) receipt.innerHTML = body.html;
          tell(body.newer);
          if (body.open) next = SOON;
        }
      } catch {
        /* The server is away for a moment; the next look will tell. */
      }
    }
    timer = setTimeout(look, next);
  };

  timer = setTimeout(look, "open" in receipt.dataset ? SOON : LATER);
  document.addEventListener("receipt:look", () => look());
});
