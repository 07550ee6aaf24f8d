/* A list of texts, one a row: add, remove, reorder by dragging or by keys. The textarea beneath keeps the value, so that
   the form is the same with and without this file. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const area of document.querySelectorAll("textarea[data-lines]")) edit(area, Number(area.dataset.lines));

  function edit(area, most) {
    const editor = document.createElement("div");
    editor.className = "features-editor";
    const rows = document.createElement("ol");
    const add = button("add", "Add a feature", "Add a feature");
    const count = document.createElement("span");
    count.className = "features-count";
    const foot = document.createElement("div");
    foot.className = "features-foot";
    foot.append(add, count);
    editor.append(rows, foot);
    area.hidden = true;
    area.after(editor);
    let dragged = null;

    const texts = () => [...rows.querySelectorAll("input")].map((input) => input.value);
    const lines = () => area.value.split("\n").map((line) => line.trim()).filter(Boolean);

    function keep() {
      area.value = texts().map((text) => text.trim()).filter(Boolean).join("\n");
      area.dispatchEvent(new Event("input", { bubbles: true }));
      settle();
    }

    function settle() {
      const all = [...rows.children];
      all.forEach((row, index) => {
        row.querySelector("input").setAttribute("aria-label", `Feature ${index + 1} of ${all.length}`);
        row.querySelector("[data-do=up]").disabled = index === 0;
        row.querySelector("[data-do=down]").disabled = index === all.length - 1;
      });
      add.disabled = all.length >= most;
      count.textContent = `${all.length} of ${most}`;
    }

    function row(text) {
      const item = document.createElement("li");
      const grip = document.createElement("span");
      grip.className = "grip material-symbols-outlined";
      grip.textContent = "drag_indicator";
      grip.setAttribute("aria-hidden", "true");
      const input = document.createElement("input");
      input.type = "text";
      input.value = text;
      input.maxLength = 200;
      const up = button("up", "arrow_upward", "Move up", true);
      const down = button("down", "arrow_downward", "Move down", true);
      const gone = button("gone", "close", "Remove", true);
      item.append(grip, input, up, down, gone);
      grip.addEventListener("pointerdown", () => (item.draggable = true));
      item.addEventListener("dragstart", () => (dragged = item));
      item.addEventListener("dragend", () => {
        item.draggable = false;
        dragged = null;
        keep();
      });
      item.addEventListener("dragover", (event) => {
        if (!dragged || dragged === item) return;
        event.preventDefault();
        const below = event.clientY > item.getBoundingClientRect().top + item.offsetHeight / 2;
        item[below ? "after" : "before"](dragged);
      });
      return item;
    }

    function button(what, content, label, icon = false) {
      const made = document.createElement("button");
      made.type = "button";
      made.dataset.do = what;
      made.textContent = content;
      made.title = label;
      made.setAttribute("aria-label", label);
      if (icon) made.className = "material-symbols-outlined";
      return made;
    }

    function append(text, after = null) {
      const made = row(text);
      if (after) after.after(made);
      else rows.append(made);
      return made;
    }

    function move(item, step) {
      const other = step < 0 ? item.previousElementSibling : item.nextElementSibling;
      if (other) other[step < 0 ? "before" : "after"](item);
    }

    rows.addEventListener("click", (event) => {
      const pressed = event.target.closest("button");
      if (!pressed) return;
      const item = pressed.closest("li");
      const next = item.nextElementSibling || item.previousElementSibling;
      if (pressed.dataset.do === "up") move(item, -1);
      if (pressed.dataset.do === "down") move(item, 1);
      if (pressed.dataset.do === "gone") item.remove();
      keep();
      if (pressed.dataset.do === "gone") (next ? next.querySelector("input") : add).focus();
      else (pressed.disabled ? item.querySelector("input") : pressed).focus();
    });
    rows.addEventListener("input", (event) => {
      event.stopPropagation();
      keep();
    });
    rows.addEventListener("keydown", (event) => {
      const item = event.target.closest("li");
      if (event.target.tagName !== "INPUT" || !item) return;
      if (event.key === "Enter") {
        event.preventDefault();
        if (rows.children.length < most) append("", item).querySelector("input").focus();
        settle();
      } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        move(item, event.key === "ArrowUp" ? -1 : 1);
        keep();
        event.target.focus();
      } else if (event.key === "Backspace" && !event.target.value && rows.children.length > 1) {
        event.preventDefault();
        const before = item.previousElementSibling || item.nextElementSibling;
        item.remove();
        keep();
        before.querySelector("input").focus();
      }
    });
    rows.addEventListener("paste", (event) => {
      const pasted = event.clipboardData.getData("text").split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
      if (pasted.length < 2) return;
      event.preventDefault();
      let item = event.target.closest("li");
      for (const text of pasted.slice(0, most - rows.children.length)) item = append(text, item);
      keep();
    });
    add.addEventListener("click", () => {
      append("").querySelector("input").focus();
      settle();
    });
    // Somebody else may set the value, e.g. a choice between mine and theirs.
    area.addEventListener("input", () => {
      if (lines().join("\n") === texts().map((text) => text.trim()).filter(Boolean).join("\n")) return;
      rows.replaceChildren();
      lines().forEach((line) => append(line));
      settle();
    });

    lines().forEach((line) => append(line));
    settle();
  }
});
