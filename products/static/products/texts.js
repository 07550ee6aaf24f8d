/* Texts of the scripts in the user's language. `make messages` writes a copy of this file with the
   translations for each other language, and a page loads one of them before all other scripts. */
"use strict";

(() => {
  const translations = window.translations ?? {};
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (name) => values?.[name.slice(1, -1)] ?? name);

  /* Return the text with its values: translate("{done} of {all}", { done: 1, all: 2 }). */
  window.translate = (text, values) => filled(translations[text] ?? text, values);

  /* Return the form of the text for this count, which is {count} in the text. */
  window.translatePlural = (one, many, count, values) => {
    const forms = translations[one] ?? [one, many];
    return filled(forms[count === 1 ? 0 : 1], { count, ...values });
  };
})();
