/* The product's image: chosen, dropped onto the page, or pasted. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const panel = document.getElementById("image");
  if (!panel) return;
  const fileInput = panel.querySelector("input[type=file]");
  const message = panel.querySelector("[role=status]");
  const image = panel.querySelector("img");
  const removeButton = panel.querySelector("[data-remove]");

  async function upload(file) {
    if (!panel.dataset.address) return keepForSave(file);
    const body = new FormData();
    body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
    if (file) body.set("image", file);
    showMessage(file ? translate("Uploading…") : translate("Removing…"));
    try {
      const response = await fetch(panel.dataset.address, { method: "POST", body });
      const { status } = response;
      const result = await response
        .json()
        .catch(() => ({ message: translate("Not saved: the server answered {status}.", { status }) }));
      if (response.ok) showSaved(result);
      else showMessage(result.message, true);
    } catch {
      showMessage(translate("Not saved: the server does not answer. Please try again."), true);
    }
  }

  /* A new product has no address yet: its image is sent together with the form. */
  function keepForSave(file) {
    if (file && !fileInput.accept.split(",").includes(file.type)) {
      keepForSave(null);
      return showMessage(translate("That file is not a PNG, JPEG or WebP image."), true);
    }
    const files = new DataTransfer();
    if (file) files.items.add(file);
    fileInput.files = files.files;
    image.hidden = removeButton.hidden = !file;
    if (file) showFile(file);
    showMessage(file ? translate("It will be saved with the product.") : "");
  }

  /* A browser chooses no file again, so the form has the image of an entry that was refused. */
  function chooseAgain() {
    const [type, data] = image.src.slice("data:".length).split(";base64,");
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    keepForSave(new File([bytes], "image", { type }));
  }

  function showFile(file) {
    const reader = new FileReader();
    reader.addEventListener("load", () => (image.src = reader.result));
    reader.readAsDataURL(file);
  }

  function showMessage(text, isError = false) {
    message.textContent = text;
    message.classList.toggle("field-error", isError);
    if (isError) panel.scrollIntoView({ block: "nearest" });
  }

  function showSaved(result) {
    showMessage(translate("Saved as version {version}.", { version: result.version }));
    image.hidden = removeButton.hidden = !result.url;
    if (result.url) image.src = result.url;
    const base = document.getElementById("id_base_version");
    const receipt = document.getElementById("receipt");
    // Only if nobody else saved in between: the fields on this page are those of the version they
    // were loaded with. With a later base, what others changed since would look like our edit.
    if (base && result.version === Number(base.value) + 1) base.value = result.version;
    if (receipt) receipt.dataset.url = result.receipt;
    document.dispatchEvent(new CustomEvent("receipt:refresh"));
  }

  if (image.src.startsWith("data:")) chooseAgain();

  const firstImage = (files) => [...files].find((file) => file.type.startsWith("image/"));

  // Captured before the theme's listener, which would write the file's name into a text field that
  // does not exist here.
  const onChange = (event) => {
    event.stopPropagation();
    if (fileInput.files.length) upload(fileInput.files[0]);
  };
  panel.addEventListener("change", onChange, true);
  removeButton.addEventListener("click", () => upload(null));
  document.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    panel.classList.add("drag-over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) panel.classList.remove("drag-over");
  });
  document.addEventListener("drop", (event) => {
    const file = firstImage(event.dataTransfer.files);
    panel.classList.remove("drag-over");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    if (file) upload(file);
    else showMessage(translate("That file is not a PNG, JPEG or WebP image."), true);
  });
  document.addEventListener("paste", (event) => {
    const file = firstImage(event.clipboardData.files);
    if (!file) return;
    event.preventDefault();
    upload(file);
  });
});
