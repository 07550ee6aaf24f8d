/* A click ends at the element where it began. So an update that replaces parts of a page waits while
   a pointer or the space bar is down. */
"use strict";

(() => {
  const MAX_WAIT_MILLISECONDS = 5000; // of a pointer that is released outside the window
  let isPressed = false;
  let waiting = [];

  const press = () => {
    isPressed = true;
  };
  const release = () => {
    isPressed = false;
    setTimeout(() => {
      for (const resolve of waiting) resolve();
      waiting = [];
    }); // after the click, which follows the release
  };

  window.untilNothingIsPressed = () =>
    new Promise((resolve) => {
      if (!isPressed) return resolve();
      waiting.push(resolve);
      setTimeout(resolve, MAX_WAIT_MILLISECONDS);
    });

  document.addEventListener("pointerdown", press, true);
  document.addEventListener("keydown", (event) => event.key === " " && press(), true);
  for (const name of ["pointerup", "pointercancel", "keyup"]) document.addEventListener(name, release, true);
  window.addEventListener("blur", release);
})();
