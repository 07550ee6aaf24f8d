/* When a file is chosen: shows its columns and what each seems to be, to be confirmed before the
   preview. */
"use strict";

(() => {
  const form = document.getElementById("import-form");
  const columns = document.getElementById("columns");

  const createElement = (tag, text, className = "") => {
    const element = document.createElement(tag);
    element.textContent = text;
    element.className = className;
    return element;
  };

  const createColumnRow = (column, number, fields, labels) => {
    const row = createElement("div", "", "labelled-field");
    const label = createElement("label", column.name || translate("(column {number})", { number: number + 1 }));
    label.htmlFor = `column-${number}`;
    const select = document.createElement("select");
    select.id = select.name = `column-${number}`;
    select.className = "text-input";
    select.append(new Option(translate("ignore"), ""), ...fields.map((field) => new Option(labels[field], field)));
    select.value = column.field;
    const field = document.createElement("div");
    const samples = column.samples.map((text) => text.slice(0, 60)).join(" · ");
    field.append(select, createElement("p", samples || translate("(blank)"), "samples"));
    row.append(label, field);
    return row;
  };

  const showColumns = async () => {
    const body = new FormData(form);
    body.set("ask", "columns");
    const response = await fetch(form.action || location.href, { method: "POST", body });
    const answer = await response.json().catch(() => ({ errors: [translate("The file could not be read.")] }));
    if (!response.ok) {
      columns.append(...answer.errors.map((text) => createElement("p", text, "field-error")));
      return;
    }
    columns.append(...answer.notes.map((text) => createElement("p", text, "help")));
    const about = answer.hasMore
      ? translate("More than {rows} rows. What each column is:", { rows: answer.rows })
      : translate("{rows} rows. What each column is:", { rows: answer.rows });
    columns.append(createElement("h2", about, "lead"));
    const { fields, labels } = answer;
    columns.append(...answer.columns.map((column, number) => createColumnRow(column, number, fields, labels)));
  };

  // Captured before the theme's listener, which would write the file's name into the reason field.
  const onChange = (event) => {
    if (event.target.id !== "file") return;
    event.stopPropagation();
    columns.replaceChildren();
    if (event.target.files.length) showColumns();
  };
  form.addEventListener("change", onChange, true);
})();
