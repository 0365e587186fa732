// On every page: the theme's switch, ticking ages, forms that need no reload, the service worker.

import "./ages.js";
import "./forms.js";

const root = document.documentElement;

document.getElementById("theme").addEventListener("click", () => {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    // storage may be forbidden: then the choice holds for this page
  }
  dispatchEvent(new Event("themechange"));
});

document.querySelectorAll('nav a[hreflang]').forEach((link) => {
  const here = new URL(location.href);
  here.searchParams.set("lang", link.hreflang);
  link.href = here.search;
});

if ("serviceWorker" in navigator && isSecureContext) {
  navigator.serviceWorker.register("/sw.js").catch(() => {});
}

// the offline page looks again by itself
if (document.getElementById("again")) {
  addEventListener("online", () => location.reload());
}
