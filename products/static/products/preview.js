/* While the user types: the card as customers will see it, and what a save would refuse. Both come
   from a dry run of the save. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const sidebar = document.querySelector("[data-preview]");
  const form = document.getElementById("product_form");
  if (!sidebar || !form) return;
  const touched = new Set();
  let newestRequest = 0;
  let timer;

  const createErrorLine = (input, id) => {
    const line = document.createElement("p");
    line.id = id;
    line.className = "field-error";
    line.setAttribute("aria-live", "polite");
    const editor =
      input.closest(".features-editor") || input.nextElementSibling?.closest(".features-editor") || input;
    editor.after(line);
    const descriptions = [input.getAttribute("aria-describedby"), id].filter(Boolean);
    input.setAttribute("aria-describedby", descriptions.join(" "));
    return line;
  };

  const showError = (field, sentences) => {
    const input = form.querySelector(`[name="${field}"]`);
    if (!input) return;
    const id = `preview-error-${field}`;
    const line = document.getElementById(id) || createErrorLine(input, id);
    line.textContent = sentences.join(" ");
    input.toggleAttribute("aria-invalid", sentences.length > 0);
    removeOldErrors(input);
  };

  /* The errors of the last save are replaced by those of the preview. */
  const removeOldErrors = (input) => {
    const row = input.closest(".form-row, .field-line, [class*=field-]") || input.parentElement;
    row.querySelectorAll(".errorlist").forEach((list) => list.remove());
    input.classList.remove("border-red-600!", "border-red-600");
    if (!form.querySelector(".errorlist, [aria-invalid], .field-error:not(:empty)")) {
      form.querySelectorAll(".errornote").forEach((note) => note.remove());
    }
  };

  const showDerivedPeriod = () => {
    const derived = document.querySelector("#card [data-period]")?.dataset.period;
    const input = document.getElementById("id_period");
    if (input && derived && !input.value) input.placeholder = derived;
  };

  /* How an amount was read that is written in another way, such as 1 500,00. */
  const showUnderstood = (field, text) => {
    const input = form.querySelector(`[name="${field}"]`);
    const id = `understood-${field}`;
    let line = document.getElementById(id);
    if (!input || (!line && !text)) return;
    if (!line) {
      line = document.createElement("p");
      line.id = id;
      line.className = "help understood";
      line.setAttribute("role", "status");
      input.after(line);
    }
    line.textContent = text ? translate("Read as {text}.", { text }) : "";
  };

  const refresh = async () => {
    const request = ++newestRequest;
    try {
      const body = new FormData(form);
      body.delete("image"); // it is checked when it is saved
      const response = await fetch(sidebar.dataset.preview, { method: "POST", body });
      if (request !== newestRequest || !response.ok) return;
      const preview = await response.json();
      const card = document.getElementById("card");
      if (preview.html) card.innerHTML = preview.html;
      showDerivedPeriod();
      card.classList.toggle("outdated", !preview.html);
      for (const field of ["price", "renewal_price"]) showUnderstood(field, preview.understood[field]);
      for (const field of touched) showError(field, preview.errors[field] || []);
    } catch {
      /* Without the server there is no preview; the entries stay. */
    }
  };

  showDerivedPeriod();
  document.addEventListener("receipt:refresh", refresh); // the image was saved, outside the form
  form.addEventListener("input", (event) => {
    if (event.target.name) touched.add(event.target.name);
    clearTimeout(timer);
    timer = setTimeout(refresh, 300);
  });
});
