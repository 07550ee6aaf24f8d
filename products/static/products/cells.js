/* Price and active flag are edited in the list: Enter saves and goes to the next row, Escape leaves it; every save can be
   undone for a while. Rows with open effects follow them to the end. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const SECONDS = 12;
  const token = () => document.querySelector("#changelist-form [name=csrfmiddlewaretoken]").value;
  const host = () => document.getElementById("cells");
  const row = (cell) => cell.closest("tr").querySelector("[data-row]");

  function prepare() {
    host().style.opacity = "";
    if (host().dataset.mayChange === "yes") {
      for (const cell of host().querySelectorAll("[data-cell]")) {
        cell.tabIndex = 0;
        cell.setAttribute("role", "button");
        cell.title = cell.dataset.cell === "price" ? "Edit the price" : "Switch";
      }
    }
    for (const state of host().querySelectorAll("[data-receipt]")) follow(state);
  }

  function follow(state, tries = 0) {
    setTimeout(async () => {
      if (!state.isConnected || tries > 60) return;
      const answer = document.hidden ? null : await fetch(state.dataset.receipt).catch(() => null);
      if (answer && answer.ok) {
        const body = await answer.json();
        state.dataset.state = state.textContent = body.status;
        if (!body.open) return;
      }
      follow(state, tries + 1);
    }, 900 + tries * 100);
  }

  function say(cell, text, ...buttons) {
    hush(cell);
    const said = document.createElement("span");
    said.className = "cell-said";
    said.setAttribute("role", "alert");
    said.append(text, document.createElement("br"), ...buttons);
    cell.after(said);
  }

  function hush(cell) {
    if (cell.nextElementSibling?.matches(".cell-said")) cell.nextElementSibling.remove();
  }

  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  async function post(address, values) {
    const body = new URLSearchParams({ ...values, csrfmiddlewaretoken: token() });
    const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
    const told = await answer.json().catch(() => ({ message: "This could not be saved; try again." }));
    return { status: answer.status, ...told, saved: answer.ok };
  }

  async function save(cell, value, version = row(cell).dataset.row) {
    cell.classList.add("busy");
    const field = cell.dataset.cell;
    const told = await post(row(cell).dataset.address, { field, value, version }).catch(() => ({ message: "The server does not answer. Try again." }));
    cell.classList.remove("busy");
    if (told.saved) {
      hush(cell);
      show(cell, told);
      toast(told.message, told.undo && (() => undo(cell, told)));
      return true;
    }
    if (told.kind === "clash") {
      say(
        cell,
        told.message,
        button("Take mine", () => save(cell, value, told.version)),
        button("Keep theirs", () => location.reload()),
      );
    } else say(cell, told.status === 403 ? "You may not do this." : told.message);
    return false;
  }

  function show(cell, told) {
    const line = cell.closest("tr");
    for (const name of ["price", "active"]) {
      const shown = line.querySelector(`[data-cell=${name}]`);
      shown.dataset.value = told[name].value;
      shown.textContent = told[name].text;
    }
    const version = row(cell);
    version.dataset.row = told.version;
    version.textContent = `v${told.version}`;
    const state = line.querySelector(".state");
    if (told.receipt) {
      state.dataset.state = state.textContent = told.status;
      state.dataset.receipt = told.receipt;
      follow(state);
    }
    const when = line.querySelector("time");
    if (when && told.receipt) {
      when.textContent = "just now";
      when.nextElementSibling.textContent = `by ${told.by}`;
    }
  }

  async function undo(cell, told) {
    const back = await post(told.undo, {}).catch(() => ({ message: "The server does not answer. Try again." }));
    if (back.saved) {
      document.querySelector(".toast")?.remove();
      location.reload();
    } else toast(back.message);
  }

  function toast(text, act) {
    document.querySelector(".toast")?.remove();
    const made = document.createElement("div");
    made.className = "toast";
    made.setAttribute("role", "status");
    made.append(text);
    if (act) made.append(button("Undo", act));
    document.body.append(made);
    setTimeout(() => made.remove(), SECONDS * 1000);
  }

  function edit(cell) {
    if (cell.querySelector("input")) return;
    const old = cell.textContent;
    const input = document.createElement("input");
    input.value = cell.dataset.value;
    input.inputMode = "decimal";
    input.setAttribute("aria-label", `Price of ${cell.closest("tr").querySelector("a.name").textContent}`);
    cell.replaceChildren(input);
    input.focus();
    input.select();
    let done = false;
    const leave = () => {
      done = true;
      cell.textContent = old;
      hush(cell);
    };
    const keep = async (next) => {
      if (done) return;
      if (input.value.trim() === cell.dataset.value) return leave(), next?.();
      done = true;
      if (await save(cell, input.value.trim())) next?.();
      else done = false;
    };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") {
        leave();
        cell.focus();
      } else if (event.key === "Enter") {
        event.preventDefault();
        const cells = [...host().querySelectorAll("[data-cell=price]")];
        const following = cells[cells.indexOf(cell) + 1];
        keep(() => (following ? edit(following) : cell.focus()));
      }
    });
    input.addEventListener("blur", () => keep());
  }

  function act(cell) {
    if (host().dataset.mayChange !== "yes") return;
    if (cell.dataset.cell === "price") edit(cell);
    else save(cell, cell.dataset.value === "true" ? "false" : "true");
  }

  document.addEventListener("click", (event) => {
    const cell = event.target.closest?.("#cells [data-cell]");
    if (cell && !event.target.closest("input")) act(cell);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches?.("#cells [data-cell]") && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      act(event.target);
    }
  });
  document.addEventListener("list:loaded", prepare);
  prepare();
});
