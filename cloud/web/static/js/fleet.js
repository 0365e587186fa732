// A fleet command's page: looked at again while it goes on and somebody looks.

import "./ages.js";
import { swap } from "./forms.js";

const EVERY_MS = 3000;

async function refresh() {
  const shown = document.getElementById("fleet-command");
  if (document.hidden || !("open" in shown.dataset) || document.querySelector("form[data-sent]")) return;
  try {
    const response = await fetch(location.href, { cache: "no-store" });
    if (response.ok) swap(await response.text(), "#fleet-command");
  } catch {
    // what is shown says how old it is
  }
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
