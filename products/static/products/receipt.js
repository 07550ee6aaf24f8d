/* The receipt in the sidebar follows the change to its last effect, and reports what others save. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const OPEN_POLL_MILLISECONDS = 700;
  const IDLE_POLL_MILLISECONDS = 15000;
  const receipt = document.getElementById("receipt");
  if (!receipt) return;
  const newerNote = document.getElementById("newer-version");
  const announcement = document.getElementById("receipt-announcement");
  let status = receipt.querySelector(".state")?.dataset.state;
  let timer;

  const showNewer = (newer) => {
    newerNote.hidden = !newer;
    if (!newer) return;
    const fields = newer.fields.join(", ") || translate("no field differs");
    const timeZone = document.querySelector('meta[name="time-zone"]').content;
    const time = new Date(newer.at).toLocaleTimeString(document.documentElement.lang, { timeZone, timeStyle: "short" });
    newerNote.textContent = translate(
      "{name} saved version {version} at {time} ({fields}). Your entries are kept; saving merges them.",
      { name: newer.by, version: newer.version, time, fields },
    );
  };

  const showReceipt = (body) => {
    const hadFocus = receipt.contains(document.activeElement);
    if (receipt.innerHTML !== body.html) receipt.innerHTML = body.html;
    if (hadFocus && !receipt.contains(document.activeElement)) {
      receipt.querySelector("button")?.focus({ preventScroll: true });
    }
    // A screen reader hears only the new status, not the whole receipt again.
    if (status !== body.status) announcement.textContent = receipt.querySelector("h2").textContent;
    status = body.status;
  };

  const poll = async () => {
    clearTimeout(timer);
    let delay = IDLE_POLL_MILLISECONDS;
    if (!document.hidden) {
      try {
        const response = await fetch(receipt.dataset.url, { headers: { Accept: "application/json" } });
        if (response.ok) {
          const body = await response.json();
          await untilNothingIsPressed();
          showReceipt(body);
          showNewer(body.newer);
          if (body.open) delay = OPEN_POLL_MILLISECONDS;
        }
      } catch {
        /* The server is unavailable for a moment; the next poll asks again. */
      }
    }
    timer = setTimeout(poll, delay);
  };

  timer = setTimeout(poll, "open" in receipt.dataset ? OPEN_POLL_MILLISECONDS : IDLE_POLL_MILLISECONDS);
  document.addEventListener("receipt:refresh", poll);
});
