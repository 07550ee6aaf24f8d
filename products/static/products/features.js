/* An editor for a list of texts, one in a row: add, remove, and reorder by dragging or by keys.
   The hidden textarea keeps the value, so the form also works without this script. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const area of document.querySelectorAll("textarea[data-lines]")) createEditor(area, Number(area.dataset.lines));

  function createEditor(area, maxRows) {
    const editor = document.createElement("div");
    editor.className = "features-editor";
    const rows = document.createElement("ol");
    const addButton = createButton("add", translate("Add a feature"), translate("Add a feature"));
    const count = document.createElement("span");
    count.className = "features-count";
    const foot = document.createElement("div");
    foot.className = "features-foot";
    foot.append(addButton, count);
    editor.append(rows, foot);
    area.hidden = true;
    area.after(editor);
    let draggedRow = null;

    const trimmed = (texts) => texts.map((text) => text.trim()).filter(Boolean);
    const rowTexts = () => trimmed([...rows.querySelectorAll("input")].map((input) => input.value));
    const areaTexts = () => trimmed(area.value.split("\n"));

    function saveToArea() {
      area.value = rowTexts().join("\n");
      area.dispatchEvent(new Event("input", { bubbles: true }));
      updateControls();
    }

    function loadFromArea() {
      rows.replaceChildren();
      areaTexts().forEach((text) => insertRow(text));
      updateControls();
    }

    function updateControls() {
      const all = [...rows.children];
      all.forEach((row, index) => {
        const label = translate("Feature {number} of {count}", { number: index + 1, count: all.length });
        row.querySelector("input").setAttribute("aria-label", label);
        row.querySelector("[data-do=up]").disabled = index === 0;
        row.querySelector("[data-do=down]").disabled = index === all.length - 1;
      });
      addButton.disabled = all.length >= maxRows;
      count.textContent = translate("{number} of {count}", { number: all.length, count: maxRows });
    }

    function createRow(text) {
      const row = document.createElement("li");
      const grip = document.createElement("span");
      grip.className = "grip material-symbols-outlined";
      grip.textContent = "drag_indicator";
      grip.setAttribute("aria-hidden", "true");
      const input = document.createElement("input");
      input.type = "text";
      input.value = text;
      input.maxLength = 200;
      row.append(
        grip,
        input,
        createButton("up", "arrow_upward", translate("Move up"), true),
        createButton("down", "arrow_downward", translate("Move down"), true),
        createButton("remove", "close", translate("Remove"), true),
      );
      grip.addEventListener("pointerdown", () => (row.draggable = true));
      row.addEventListener("dragstart", () => (draggedRow = row));
      row.addEventListener("dragend", () => {
        row.draggable = false;
        draggedRow = null;
        saveToArea();
      });
      row.addEventListener("dragover", (event) => {
        if (!draggedRow || draggedRow === row) return;
        event.preventDefault();
        const middle = row.getBoundingClientRect().top + row.offsetHeight / 2;
        row[event.clientY > middle ? "after" : "before"](draggedRow);
      });
      return row;
    }

    function createButton(action, content, label, isIcon = false) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.do = action;
      button.textContent = content;
      button.title = label;
      button.setAttribute("aria-label", label);
      if (isIcon) button.className = "material-symbols-outlined";
      return button;
    }

    function insertRow(text, previous = null) {
      const row = createRow(text);
      if (previous) previous.after(row);
      else rows.append(row);
      return row;
    }

    function moveRow(row, step) {
      const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
      if (other) other[step < 0 ? "before" : "after"](row);
    }

    function focusInput(row) {
      row.querySelector("input").focus();
    }

    function removeRow(row, neighbour) {
      row.remove();
      saveToArea();
      if (neighbour) focusInput(neighbour);
      else addButton.focus();
    }

    rows.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const row = button.closest("li");
      const action = button.dataset.do;
      if (action === "remove") {
        removeRow(row, row.nextElementSibling || row.previousElementSibling);
        return;
      }
      moveRow(row, action === "up" ? -1 : 1);
      saveToArea();
      if (button.disabled) focusInput(row);
      else button.focus();
    });
    rows.addEventListener("input", (event) => {
      event.stopPropagation();
      saveToArea();
    });
    rows.addEventListener("keydown", (event) => {
      const row = event.target.closest("li");
      if (event.target.tagName !== "INPUT" || !row) return;
      if (event.key === "Enter") {
        event.preventDefault();
        if (rows.children.length < maxRows) focusInput(insertRow("", row));
        updateControls();
      } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        moveRow(row, event.key === "ArrowUp" ? -1 : 1);
        saveToArea();
        event.target.focus();
      } else if (event.key === "Backspace" && !event.target.value && rows.children.length > 1) {
        event.preventDefault();
        removeRow(row, row.previousElementSibling || row.nextElementSibling);
      }
    });
    rows.addEventListener("paste", (event) => {
      const pasted = trimmed(event.clipboardData.getData("text").split(/\r?\n/));
      if (pasted.length < 2) return;
      event.preventDefault();
      const freeRows = maxRows - rows.children.length;
      let row = event.target.closest("li");
      for (const text of pasted.slice(0, freeRows)) row = insertRow(text, row);
      saveToArea();
    });
    addButton.addEventListener("click", () => {
      focusInput(insertRow(""));
      updateControls();
    });
    // Another script may set the value, for example the choice between two conflicting values.
    area.addEventListener("input", () => {
      if (areaTexts().join("\n") !== rowTexts().join("\n")) loadFromArea();
    });

    loadFromArea();
  }
});
