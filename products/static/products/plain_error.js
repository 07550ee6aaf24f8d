/* Apply the colour scheme that the user chose in the admin. */
"use strict";

(() => {
  let chosen = "auto";
  try {
    chosen = JSON.parse(localStorage.getItem("_x_adminTheme") || '"auto"');
  } catch {
    /* Without storage the system's scheme applies. */
  }
  const isDark = chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", isDark);
})();
