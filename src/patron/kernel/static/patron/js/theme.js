// Runs before the page is painted: without a chosen theme, follow the device.
(() => {
  const root = document.documentElement;
  if (root.dataset.bsTheme) return;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  root.dataset.bsTheme = dark.matches ? "dark" : "light";
})();
