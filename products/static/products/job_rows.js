/* A choice about one row of a planned job. Only what it changes is replaced, so the page stays where
   it is, and so does the focus. */
"use strict";

(() => {
  const PARTS = ["job", "job-checks", "job-rows"];

  const replaceParts = (loaded) => {
    for (const id of PARTS) document.getElementById(id)?.replaceWith(document.adoptNode(loaded.getElementById(id)));
    document.getElementById("messages")?.remove();
    const messages = loaded.getElementById("messages");
    if (messages) document.getElementById("content").prepend(document.adoptNode(messages));
  };

  // The row itself may not be shown any more, or may have no control left.
  const focusRow = (number) => {
    const rows = document.getElementById("job-rows");
    const row = rows?.querySelector(`[data-row="${number}"]`);
    const control = row?.querySelector("form button, form input:not([type=hidden])") ?? row?.querySelector("a");
    (control ?? rows?.querySelector("form button, a"))?.focus({ preventScroll: true });
  };

  const choose = async (form, button, number) => {
    const response = await fetch(form.action, { method: "POST", body: new FormData(form, button) });
    const loaded = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!PARTS.every((id) => loaded.getElementById(id) || !document.getElementById(id))) throw new Error("another page");
    await untilNothingIsPressed();
    replaceParts(loaded);
    history.replaceState(history.state, "", response.url);
    focusRow(number);
  };

  document.addEventListener("submit", async (event) => {
    const row = event.target.closest("#job-rows [data-row]");
    if (!row) return;
    event.preventDefault();
    const { target: form, submitter } = event;
    try {
      await choose(form, submitter, row.dataset.row);
    } catch {
      // The server is unavailable, or the session has ended: the browser shows what it answers.
      const { name, value } = submitter;
      if (name) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
      form.submit();
    }
  });
})();
