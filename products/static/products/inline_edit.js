/* Editing price and status in the list. Enter saves and goes to the next row, Escape cancels, and
   each save can be undone for a while. Rows with an open change poll it until it is complete. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const TOAST_SECONDS = 20;
  const MAX_POLLS = 60;
  const NO_ANSWER = { message: "The server does not answer. Try again." };
  const NOT_SAVED = { message: "This could not be saved; try again." };
  const NO_PERMISSION = "You don't have permission to do this.";

  const csrfToken = () => document.querySelector("#changelist-form [name=csrfmiddlewaretoken]").value;
  const rows = () => document.getElementById("list-rows");
  const mayChange = () => rows().dataset.mayChange === "yes";
  const versionOf = (cell) => cell.closest("tr").querySelector("[data-version]");

  function prepareRows() {
    rows().style.opacity = "";
    if (mayChange()) rows().querySelectorAll("[data-cell]").forEach(makeEditable);
    rows().querySelectorAll("[data-receipt]").forEach((state) => pollReceipt(state));
  }

  function makeEditable(cell) {
    cell.tabIndex = 0;
    cell.setAttribute("role", "button");
    cell.title = cell.dataset.cell === "price" ? "Edit the price" : "Activate or deactivate";
  }

  function pollReceipt(state, polls = 0) {
    setTimeout(async () => {
      if (!state.isConnected || polls > MAX_POLLS) return;
      const response = document.hidden ? null : await fetch(state.dataset.receipt).catch(() => null);
      if (response && response.ok) {
        const receipt = await response.json();
        state.dataset.state = state.textContent = receipt.status;
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

  async function post(address, values) {
    const body = new URLSearchParams({ ...values, csrfmiddlewaretoken: csrfToken() });
    const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    const result = await response.json().catch(() => NOT_SAVED);
    return { status: response.status, ...result, saved: response.ok };
  }

  async function save(cell, value, version = versionOf(cell).dataset.version) {
    const entries = { field: cell.dataset.cell, value, version };
    cell.classList.add("busy");
    const result = await post(versionOf(cell).dataset.address, entries).catch(() => NO_ANSWER);
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
        createButton("Take mine", () => save(cell, value, result.version)),
        createButton("Keep theirs", () => location.reload()),
      );
    } else showMessage(cell, result.status === 403 ? NO_PERMISSION : result.message);
    return false;
  }

  function updateRow(cell, result) {
    const row = cell.closest("tr");
    for (const field of ["price", "active"]) {
      const other = row.querySelector(`[data-cell=${field}]`);
      other.dataset.value = result[field].value;
      other.textContent = result[field].text;
    }
    const version = versionOf(cell);
    version.dataset.version = result.version;
    version.textContent = `v${result.version}`;
    if (!result.receipt) return;
    const state = row.querySelector(".state");
    state.dataset.state = state.textContent = result.status;
    state.dataset.receipt = result.receipt;
    pollReceipt(state);
    const time = row.querySelector("time");
    if (time) {
      time.textContent = "just now";
      time.nextElementSibling.textContent = `by ${result.by}`;
    }
  }

  async function undo(address) {
    const result = await post(address, {}).catch(() => NO_ANSWER);
    if (result.saved) {
      document.querySelector(".toast")?.remove();
      location.reload();
    } else showToast(result.message);
  }

  function showToast(text, onUndo) {
    document.querySelector(".toast")?.remove();
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.setAttribute("role", "status");
    toast.append(text);
    if (onUndo) toast.append(createButton("Undo", onUndo));
    document.body.append(toast);
    setTimeout(() => toast.remove(), TOAST_SECONDS * 1000);
  }

  function editPrice(cell) {
    if (cell.querySelector("input")) return;
    const oldText = cell.textContent;
    const name = cell.closest("tr").querySelector("a.name").textContent;
    const input = document.createElement("input");
    input.value = cell.dataset.value;
    input.inputMode = "decimal";
    input.setAttribute("aria-label", `Price of ${name}`);
    cell.replaceChildren(input);
    input.focus();
    input.select();
    let isClosed = false; // also while a save is running
    let refused = null; // the last value that was not saved

    const close = () => {
      isClosed = true;
      cell.textContent = oldText;
      removeMessage(cell);
    };
    const saveInput = async (onSaved) => {
      if (isClosed) return;
      const value = input.value.trim();
      if (value === cell.dataset.value) {
        close();
        onSaved?.();
        return;
      }
      isClosed = true;
      if (await save(cell, value)) onSaved?.();
      else {
        isClosed = false;
        refused = value;
      }
    };
    const editNext = () => {
      const prices = [...rows().querySelectorAll("[data-cell=price]")];
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
        saveInput(editNext);
      }
    });
    // A click on "Take mine" leaves the input too, and must not save it twice.
    input.addEventListener("blur", () => {
      if (input.value.trim() !== refused) saveInput();
    });
  }

  function activateCell(cell) {
    if (!mayChange()) return;
    if (cell.dataset.cell === "price") editPrice(cell);
    else save(cell, cell.dataset.value === "true" ? "false" : "true");
  }

  document.addEventListener("click", (event) => {
    const cell = event.target.closest?.("#list-rows [data-cell]");
    if (cell && !event.target.closest("input")) activateCell(cell);
  });
  document.addEventListener("keydown", (event) => {
    const isPress = event.key === "Enter" || event.key === " ";
    if (isPress && event.target.matches?.("#list-rows [data-cell]")) {
      event.preventDefault();
      activateCell(event.target);
    }
  });
  document.addEventListener("list:loaded", prepareRows);
  prepareRows();
});
