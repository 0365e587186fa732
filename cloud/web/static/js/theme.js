// Runs before the first paint: the reader's theme, and that there are scripts at all.
(() => {
  const root = document.documentElement;
  root.classList.add("with-script");
  try {
    const kept = localStorage.getItem("theme");
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch {
    // storage may be forbidden: then the system's theme is shown
  }
})();
