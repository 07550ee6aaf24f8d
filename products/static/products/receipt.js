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

  const said = document.getElementById("receipt-said");
  let status = receipt.querySelector(".state")?.dataset.state;
  const show = (body) => {
    const held = receipt.contains(document.activeElement);
    if (receipt.innerHTML !== body.html) receipt.innerHTML = body.html;
    if (held && !receipt.contains(document.activeElement)) receipt.querySelector("button")?.focus({ preventScroll: true });
    // Whoever listens hears the one word that changed, not the whole receipt anew.
    if (status !== body.status) said.textContent = `${receipt.querySelector("h2").firstChild.textContent.trim()}: ${body.status}`;
    status = body.status;
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
          show(body);
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
