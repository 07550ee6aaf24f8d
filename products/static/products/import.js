/* When a file is chosen: its columns, and what each seems to be, to be confirmed before the preview. */
"use strict";

document.getElementById("import-form").addEventListener("change", async (event) => {
  if (event.target.id !== "file") return;
  event.stopPropagation(); // else the theme writes the file's name into the nearest text field: the reason
  const form = document.getElementById("import-form");
  const place = document.getElementById("columns");
  place.replaceChildren();
  if (!event.target.files.length) return;
  const asked = new FormData(form);
  asked.set("ask", "columns");
  const answer = await fetch(form.action || location.href, { method: "POST", body: asked });
  const body = await answer.json().catch(() => ({ errors: ["The file could not be read."] }));
  if (!answer.ok) {
    place.append(...body.errors.map((text) => line("p", text, "live-error")));
    return;
  }
  place.append(line("h2", `${body.rows} rows. What each column is:`, "lead"));
  body.columns.forEach((column, number) => {
    const row = line("div", "", "form-line");
    const label = line("label", column.name || `(column ${number + 1})`);
    label.htmlFor = `column-${number}`;
    const select = document.createElement("select");
    select.id = select.name = `column-${number}`;
    select.className = "line";
    select.append(new Option("ignore", ""), ...body.fields.map((field) => new Option(field, field)));
    select.value = column.field;
    row.append(label, select);
    place.append(row);
  });

  function line(tag, text, name = "") {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = name;
    return made;
  }
}, true);
