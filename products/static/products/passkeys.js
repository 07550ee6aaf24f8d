/* Forms with a passkey: the browser asks for it, and its answer is sent in the hidden field. */
"use strict";

(() => {
  const SENTENCES = {
    NotAllowedError: translate("The passkey was not used. Please try again."),
    InvalidStateError: translate("This device has a passkey for your account already."),
    SecurityError: translate("Passkeys don't work at this address. Please open the admin by its host name."),
  };
  const UNKNOWN = translate("This browser can't use passkeys here.");
  const isAddress = /^[\d.]+$|^\[/.test(location.hostname);

  const form = document.querySelector("form[data-passkey]");
  const options = JSON.parse(document.getElementById("passkey-options").textContent);
  const error = form.querySelector("[role=alert]");
  let isReady = false;

  form.addEventListener(
    "submit",
    async (event) => {
      if (isReady) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      error.textContent = "";
      try {
        const credential = await window.webauthnJSON[form.dataset.passkey](options);
        form.elements.credential.value = JSON.stringify(credential);
        isReady = true;
        form.submit();
      } catch (fault) {
        error.textContent = isAddress ? SENTENCES.SecurityError : SENTENCES[fault.name] || UNKNOWN;
      }
    },
    true,
  );
})();
