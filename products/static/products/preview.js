/* While somebody types: the card as customers will see it, and what saving would refuse - by a dry run of the save. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const aside = document.querySelector("[data-preview]");
  const form = document.getElementById("product_form");
  if (!aside || !form) return;
  const touched = new Set();
  let asked = 0;
  let timer;

  const place = (field) => {
    const input = form.querySelector(`[name="${field}"]`);
    if (!input) return null;
    const id = `live-${field}`;
    let line = document.getElementById(id);
    if (!line) {
      line = document.createElement("p");
      line.id = id;
      line.className = "live-error";
      line.setAttribute("aria-live", "polite");
      const shown = input.closest(".features-editor") || input.nextElementSibling?.closest(".features-editor") || input;
      shown.after(line);
      input.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), id].filter(Boolean).join(" "));
    }
    return { input, line };
  };

  const show = (errors) => {
    for (const field of touched) {
      const spot = place(field);
      if (!spot) continue;
      const sentences = errors[field] || [];
      spot.line.textContent = sentences.join(" ");
      spot.input.toggleAttribute("aria-invalid", sentences.length > 0);
    }
  };

  const ask = async () => {
    const mine = ++asked;
    try {
      const answer = await fetch(aside.dataset.preview, { method: "POST", body: new FormData(form) });
      if (mine !== asked || !answer.ok) return;
      const body = await answer.json();
      if (body.html) document.getElementById("card").innerHTML = body.html;
      document.getElementById("card").classList.toggle("stale", !body.html);
      show(body.errors);
    } catch {
      /* Without the server there is no preview; what was typed stays. */
    }
  };

  document.addEventListener("receipt:look", ask); // the image was changed beside the form
  form.addEventListener("input", (event) => {
    if (event.target.name) touched.add(event.target.name);
    clearTimeout(timer);
    timer = setTimeout(ask, 300);
  });
});
