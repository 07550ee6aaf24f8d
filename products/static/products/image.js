/* The product's image: chosen, dropped onto the card, or pasted anywhere on the page. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("image");
  if (!place) return;
  const choose = place.querySelector("input[type=file]");
  const said = place.querySelector("[role=status]");
  const shown = place.querySelector("img");
  const remove = place.querySelector("[data-remove]");

  async function send(file) {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
    if (file) body.set("image", file);
    said.textContent = file ? "Uploading…" : "Removing…";
    try {
      const answer = await fetch(place.dataset.address, { method: "POST", body });
      const told = await answer.json();
      if (!answer.ok) return (said.textContent = told.message);
      said.textContent = `Saved as v${told.version}.`;
      shown.hidden = remove.hidden = !told.url;
      if (told.url) shown.src = told.url;
      const base = document.getElementById("id_base_version");
      const receipt = document.getElementById("receipt");
      // Only when nobody else saved in between: the fields on this page are of the version they were loaded with, and a
      // later base would make what others changed since look like an edit of ours.
      if (base && told.version === Number(base.value) + 1) base.value = told.version;
      if (receipt) receipt.dataset.url = told.receipt;
      document.dispatchEvent(new CustomEvent("receipt:look"));
    } catch {
      said.textContent = "The server does not answer. Try again.";
    }
  }

  const picture = (list) => [...list].find((file) => file.type.startsWith("image/"));
  // Before the theme hears of it, which would write the file's name into a text field that it does not find here.
  const chosen = (event) => {
    event.stopPropagation();
    if (choose.files.length) send(choose.files[0]);
  };
  place.addEventListener("change", chosen, true);
  remove.addEventListener("click", () => send(null));
  document.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    place.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || place.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    const file = picture(event.dataTransfer.files);
    place.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    if (file) send(file);
    else said.textContent = "That is no picture.";
  });
  document.addEventListener("paste", (event) => {
    const file = picture(event.clipboardData.files);
    if (!file) return;
    event.preventDefault();
    send(file);
  });
});
