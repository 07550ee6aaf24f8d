/* An ended session: the page asks for the password in a dialog and then goes on. Requests of
   scripts are repeated after the login, and a form is sent only while its session is valid. */
"use strict";

(() => {
  const NOT_ASKED_AGAIN_MILLISECONDS = 60000;
  const NO_ANSWER = translate("The server does not answer. What you typed is kept; please try again in a few seconds.");
  const sendRequest = window.fetch.bind(window);
  let openDialog = null;
  let dismissedAt = -Infinity;

  const address = (name) => document.querySelector(`meta[name="${name}-url"]`)?.content;
  const isOurs = (resource) => new URL(resource.url || resource, location.href).origin === location.origin;

  window.fetch = async (resource, options = {}) => {
    const response = await sendRequest(resource, options);
    if (response.status !== 401 || !address("session") || !isOurs(resource)) return response;
    if (performance.now() - dismissedAt < NOT_ASKED_AGAIN_MILLISECONDS) return response;
    const token = await logInAgain();
    if (!token) return response;
    if (options.body?.set && options.body.has("csrfmiddlewaretoken")) options.body.set("csrfmiddlewaretoken", token);
    return sendRequest(resource, options);
  };

  /* Return the new CSRF token, or null when the user closed the dialog. */
  function logInAgain() {
    openDialog ||= askForPassword().finally(() => (openDialog = null));
    return openDialog;
  }

  function askForPassword() {
    const dialog = createDialog();
    const previousFocus = document.activeElement;
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("[name=password]").focus();
    return new Promise((resolve) => {
      const close = (token) => {
        dialog.close();
        dialog.remove();
        previousFocus?.focus?.({ preventScroll: true });
        resolve(token);
      };
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        dismiss();
      });
      dialog.querySelector("[data-dismiss]").addEventListener("click", dismiss);
      function dismiss() {
        dismissedAt = performance.now();
        close(null);
      }
      dialog.querySelector("form").addEventListener("submit", async (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
        const { token, error } = await logIn(dialog).catch(() => ({ error: NO_ANSWER }));
        if (token) close(token);
        else if (error) showError(dialog, error);
      });
    });
  }

  function createDialog() {
    const dialog = document.createElement("dialog");
    dialog.className = "login-dialog";
    dialog.setAttribute("aria-labelledby", "login-dialog-title");
    dialog.innerHTML = `
      <form method="post" data-login>
        <h2 id="login-dialog-title">${translate("Your session has ended")}</h2>
        <p>${translate("Log in again to go on. What you typed on this page is kept.")}</p>
        <label>${translate("User")} <input name="username" autocomplete="username" readonly></label>
        <label>${translate("Password")} <input name="password" type="password" autocomplete="current-password" required></label>
        <p class="field-error" role="alert"></p>
        <div class="buttons">
          <button type="submit" class="primary-button">${translate("Log in")}</button>
          <button type="button" class="secondary-button" data-dismiss>${translate("Not now")}</button>
        </div>
      </form>`;
    dialog.querySelector("[name=username]").value = document.querySelector('meta[name="staff"]').content;
    return dialog;
  }

  function showError(dialog, sentence) {
    const box = dialog.querySelector("[name=code]") || dialog.querySelector("[name=password]");
    dialog.querySelector("[role=alert]").textContent = sentence;
    box.select();
    box.focus();
  }

  /* Log in by the usual pages, whose lockout therefore applies here, too. The second page is for
     users with a second factor. */
  async function logIn(dialog) {
    const secondStep = dialog.dataset.secondStep;
    const page = secondStep || address("login");
    const html = new DOMParser().parseFromString(await (await sendRequest(page)).text(), "text/html");
    const body = new FormData(dialog.querySelector("form"));
    const hidden = html.querySelector("[name=csrfmiddlewaretoken]");
    if (hidden) body.set("csrfmiddlewaretoken", hidden.value);
    if (!secondStep) body.set("next", address("session"));
    const response = await sendRequest(page, { method: "POST", body });
    if (response.status === 429) {
      const minutes = Math.ceil(Number(response.headers.get("Retry-After")) / 60);
      return { error: translate("There were too many attempts. Please try again in {minutes} min.", { minutes }) };
    }
    if (!response.headers.get("Content-Type")?.includes("json")) {
      if (secondStep) return { error: translate("Wrong code.") };
      if (!response.redirected) return { error: translate("Wrong password.") };
      askForCode(dialog, response.url);
      return {};
    }
    const session = await response.json();
    for (const input of document.querySelectorAll("[name=csrfmiddlewaretoken]")) input.value = session.csrfToken;
    return { token: session.csrfToken };
  }

  function askForCode(dialog, page) {
    const tab = `<a href="${page}" target="_blank">${translate("another tab")}</a>`;
    dialog.dataset.secondStep = page;
    dialog.querySelector("[role=alert]").textContent = "";
    dialog.querySelector("[name=password]").closest("label").outerHTML = `
        <label>${translate("Code of your app, or a recovery code")}
          <input name="code" inputmode="numeric" autocomplete="one-time-code" required></label>
        <p class="help">${translate("Do you have a passkey only? Then log in in {tab}, close this box, and save again.", { tab })}</p>`;
    dialog.querySelector("[name=code]").focus();
  }

  /* A form is sent only after the session is known to be valid: the login page that would
     answer it otherwise discards what was typed. */
  const checked = new WeakSet();
  const checking = new WeakSet();

  document.addEventListener(
    "submit",
    async (event) => {
      const form = event.target;
      const method = event.submitter?.formMethod || form.method;
      if (method !== "post" || "login" in form.dataset || !address("session") || checked.delete(form)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (checking.has(form)) return;
      checking.add(form);
      const isReady = await isSessionReady().catch(() => showMessage(NO_ANSWER));
      checking.delete(form);
      if (!isReady) return;
      hideMessage();
      checked.add(form);
      form.requestSubmit(event.submitter);
    },
    true,
  );

  async function isSessionReady() {
    const response = await sendRequest(address("session"), { headers: { Accept: "application/json" } });
    if (response.status === 401) return logInAgain();
    return true; // any other fault is shown by the page that answers the form
  }

  function showMessage(text) {
    hideMessage();
    const message = document.createElement("p");
    message.id = "page-message";
    message.setAttribute("role", "alert");
    message.textContent = text;
    document.body.append(message);
  }

  function hideMessage() {
    document.getElementById("page-message")?.remove();
  }
})();
