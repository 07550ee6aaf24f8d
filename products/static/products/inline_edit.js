/* Editing price and status in the list. Enter saves, the down arrow saves and opens the next price,
   Escape cancels; each save can be undone for a while. Open changes are followed to their end. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const TOAST_SECONDS = 20;
  const MAX_POLLS = 60;
  const NO_ANSWER = { message: translate("The server does not answer. What you typed is kept; try again.") };
  const NOT_SAVED = { message: translate("This could not be saved; try again.") };
  const NO_PERMISSION = translate("You don't have permission to do this.");
  const SIGNED_OUT = translate("Your session has ended, so this was not saved. Log in in another tab, then try again.");
  const STATUS_TEXTS = {
    accepted: translate("Saving…"),
    stored: translate("Publishing…"),
    complete: translate("Up to date"),
    failed: translate("Needs attention"),
  };
  const form = document.getElementById("changelist-form");

  const list = () => document.getElementById("list");
  const mayChange = () => list().dataset.mayChange === "yes";
  const rowOf = (cell) => cell.closest("tr");
  const nameOf = (cell) => rowOf(cell).querySelector("a.name").textContent;
  const addressOf = (row, page) => {
    const link = row.querySelector("a.name");
    return link.pathname.replace(/change\/$/, page);
  };

  function prepareRows() {
    list().querySelectorAll(".state[data-open]").forEach((state) => pollReceipt(state));
  }

  function showStatus(state, status, isOpen) {
    state.dataset.state = status;
    state.textContent = STATUS_TEXTS[status];
    state.toggleAttribute("data-open", isOpen);
  }

  const receiptOf = (state) => addressOf(rowOf(state), `receipt/${rowOf(state).dataset.version}/`);

  function pollReceipt(state, polls = 0) {
    setTimeout(async () => {
      if (!state.isConnected || polls > MAX_POLLS) return;
      const response = document.hidden ? null : await fetch(receiptOf(state)).catch(() => null);
      const receipt = response?.ok ? await response.json().catch(() => null) : null;
      if (receipt) {
        showStatus(state, receipt.status, receipt.open);
        if (!receipt.open) return;
      }
      pollReceipt(state, polls + 1);
    }, 900 + polls * 100);
  }

  function showMessage(cell, text, ...buttons) {
    removeMessage(cell);
    const message = document.createElement("span");
    message.className = "cell-message";
    message.setAttribute("role", "alert");
    message.append(text, document.createElement("br"), ...buttons);
    cell.after(message);
  }

  function removeMessage(cell) {
    if (cell.nextElementSibling?.matches(".cell-message")) cell.nextElementSibling.remove();
  }

  function createButton(text, onClick) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", onClick);
    return button;
  }

  /* Post the values; ``saved`` says whether they were saved, ``message`` why not. */
  async function post(address, values, { isSecondTry = false } = {}) {
    const token = form.elements.csrfmiddlewaretoken.value;
    const body = new URLSearchParams({ ...values, csrfmiddlewaretoken: token });
    try {
      const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
      if (response.status === 401 || response.redirected) return { saved: false, message: SIGNED_OUT };
      const result = await response.json().catch(() => null);
      if (response.status === 403 && !result && !isSecondTry && (await renewToken())) {
        return post(address, values, { isSecondTry: true });
      }
      const isSaved = response.ok && result !== null;
      return { status: response.status, ...(result || NOT_SAVED), saved: isSaved };
    } catch {
      return { saved: false, ...NO_ANSWER };
    }
  }

  /* Take the token of the session that another tab has begun. */
  async function renewToken() {
    const response = await fetch(location.href);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const token = page.querySelector("#changelist-form [name=csrfmiddlewaretoken]");
    if (token) form.elements.csrfmiddlewaretoken.value = token.value;
    return Boolean(token);
  }

  async function save(cell, value, version = rowOf(cell).dataset.version) {
    const entries = { field: cell.dataset.cell, value, version };
    cell.classList.add("busy");
    const result = await post(addressOf(rowOf(cell), "cell/"), entries);
    cell.classList.remove("busy");
    if (result.saved) {
      removeMessage(cell);
      updateRow(cell, result);
      showToast(result.message, result.undo && (() => undo(result.undo)));
      return true;
    }
    if (result.kind === "clash") {
      showMessage(
        cell,
        result.message,
        createButton(translate("Take mine"), () => save(cell, value, result.version)),
        createButton(translate("Keep theirs"), () => document.dispatchEvent(new CustomEvent("list:reload"))),
      );
    } else showMessage(cell, result.status === 403 ? NO_PERMISSION : result.message);
    return false;
  }

  function updateRow(cell, result) {
    const row = rowOf(cell);
    row.dataset.version = result.version;
    row.querySelector(".version").textContent = `v${result.version}`;
    showPrice(row.querySelector("[data-cell=price]"), result.price);
    showActive(row, result.active);
    if (!result.receipt) return;
    const state = row.querySelector(".state");
    showStatus(state, result.status, true);
    pollReceipt(state);
    const time = row.querySelector("time");
    time.textContent = translate("just now");
    time.nextElementSibling.textContent = translate("by {name}", { name: result.by });
  }

  function showPrice(cell, price) {
    if (!cell) return;
    cell.dataset.value = price.value;
    cell.textContent = price.text;
    const label = translate("Price of {name}: {price}. Edit", { name: nameOf(cell), price: price.text });
    cell.setAttribute("aria-label", label);
    if (cell.hidden) stopEditing(cell);
  }

  function showActive(row, active) {
    const flag = row.querySelector(".flag");
    flag.dataset.active = active.value;
    flag.textContent = active.text;
    const button = row.querySelector("[data-cell=active]");
    if (!button) return;
    const verb = active.value === "true" ? translate("Deactivate") : translate("Activate");
    button.dataset.value = active.value;
    button.textContent = verb;
    button.setAttribute("aria-label", `${verb} ${nameOf(button)}`);
  }

  async function undo(address) {
    const result = await post(address, {});
    showToast(result.message);
    if (result.saved) document.dispatchEvent(new CustomEvent("list:reload"));
  }

  function showToast(text, onUndo) {
    document.querySelector(".toast")?.remove();
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.setAttribute("role", "status");
    toast.append(text);
    if (onUndo) toast.append(createButton(translate("Undo"), onUndo));
    document.body.append(toast);
    setTimeout(() => untilNothingIsPressed().then(() => toast.remove()), TOAST_SECONDS * 1000);
  }

  function editPrice(cell) {
    if (cell.hidden) return;
    const input = document.createElement("input");
    input.className = "price-input";
    input.value = cell.dataset.value;
    input.inputMode = "decimal";
    input.setAttribute("aria-label", translate("Price of {name}", { name: nameOf(cell) }));
    input.title = translate("Enter saves, ↓ saves and opens the next price, Esc cancels");
    cell.hidden = true;
    cell.before(input);
    input.focus();
    input.select();
    let isSaving = false;
    let refused = null; // the last value that was not saved

    const close = () => {
      stopEditing(cell);
      removeMessage(cell);
    };
    const saveInput = async (onSaved) => {
      if (isSaving || !cell.hidden) return;
      const value = input.value.trim();
      if (value === cell.dataset.value) {
        close();
        onSaved?.();
        return;
      }
      isSaving = true;
      const isSaved = await save(cell, value);
      isSaving = false;
      if (isSaved) onSaved?.();
      else refused = value;
    };
    const editNext = () => {
      const prices = [...list().querySelectorAll("[data-cell=price]")];
      const next = prices[prices.indexOf(cell) + 1];
      if (next) editPrice(next);
      else cell.focus();
    };

    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") {
        close();
        cell.focus();
      } else if (event.key === "Enter") {
        event.preventDefault();
        saveInput(() => cell.focus());
      } else if (event.key === "ArrowDown") {
        event.preventDefault();
        saveInput(editNext);
      }
    });
    // A click on "Take mine" leaves the input too, and must not save it twice.
    input.addEventListener("blur", () => {
      if (input.value.trim() !== refused) saveInput();
    });
  }

  function stopEditing(cell) {
    cell.hidden = false;
    cell.parentElement.querySelector(".price-input")?.remove();
  }

  /* Ask a question in a dialog; return whether the answer is yes. */
  function ask(title, text, yes) {
    const dialog = document.getElementById("ask");
    document.getElementById("ask-title").textContent = title;
    document.getElementById("ask-text").textContent = text;
    document.getElementById("ask-yes").textContent = yes;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }

  async function switchActive(button) {
    const isActive = button.dataset.value === "true";
    const text = translate("Its page leaves the website, and customers can no longer find it. You can undo this.");
    const title = translate("Deactivate {name}?", { name: nameOf(button) });
    if (isActive && !(await ask(title, text, translate("Deactivate")))) return;
    await save(button, isActive ? "false" : "true");
  }

  document.addEventListener("click", (event) => {
    const cell = event.target.closest?.("#list-rows [data-cell]");
    if (!cell || !mayChange()) return;
    if (cell.dataset.cell === "price") editPrice(cell);
    else switchActive(cell);
  });
  document.addEventListener("list:loaded", prepareRows);
  prepareRows();
});
