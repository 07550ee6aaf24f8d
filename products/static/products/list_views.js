/* Views of the list: dialogs to save the current one, and to choose and arrange the columns. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const titles = JSON.parse(document.getElementById("all-columns").textContent);
  const choice = document.getElementById("column-choice");
  const note = document.getElementById("column-note");
  const currentFilters = () => {
    const query = new URLSearchParams(location.search);
    for (const name of ["p"]) query.delete(name);
    return query.toString();
  };
  const shownColumns = () => choice.dataset.columns.split(",");

  const moveButton = (direction, title) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small-button";
    button.dataset.move = direction;
    button.textContent = direction === "up" ? "↑" : "↓";
    const label = direction === "up" ? translate("Move {title} up", { title }) : translate("Move {title} down", { title });
    button.setAttribute("aria-label", label);
    return button;
  };

  const fillColumns = () => {
    const shown = shownColumns();
    const names = [...shown, ...Object.keys(titles).filter((name) => !shown.includes(name))];
    choice.replaceChildren(
      ...names.map((name) => {
        const item = document.createElement("li");
        const label = document.createElement("label");
        const box = document.createElement("input");
        Object.assign(box, { type: "checkbox", value: name, checked: shown.includes(name) });
        label.append(box, ` ${titles[name]}`);
        item.append(label, moveButton("up", titles[name]), moveButton("down", titles[name]));
        return item;
      }),
    );
  };

  choice.addEventListener("click", (event) => {
    const direction = event.target.dataset?.move;
    if (!direction) return;
    const item = event.target.closest("li");
    const neighbour = direction === "up" ? item.previousElementSibling : item.nextElementSibling;
    if (!neighbour) return;
    if (direction === "up") neighbour.before(item);
    else neighbour.after(item);
    event.target.focus();
    const place = [...choice.children].indexOf(item) + 1;
    const title = titles[item.querySelector("input").value];
    const count = choice.children.length;
    note.textContent = translate("{title} is number {place} of {count}.", { title, place, count });
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.opens);
      dialog.querySelector("[name=filters]").value = currentFilters();
      dialog.querySelector("[name=columns]").value = shownColumns().join(",");
      if (dialog.contains(choice)) fillColumns();
      dialog.showModal();
    }
    if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  });

  choice.closest("form").addEventListener("submit", (event) => {
    const chosen = [...choice.querySelectorAll("input:checked")].map((box) => box.value);
    event.target.elements.columns.value = chosen.join(",");
  }, true);
});
