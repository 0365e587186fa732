// Choosing a time: each choice is in the address, and the answer shows what is free and what it costs.

import { swap } from "./forms.js";

const TYPING_MS = 400;
const form = () => document.getElementById("choose");

let loading;
let settling;

function address() {
  const query = new URLSearchParams(new FormData(form()));
  for (const [name, value] of [...query]) if (!value.trim()) query.delete(name);
  return `${form().getAttribute("action")}?${query}`;
}

async function load() {
  loading?.abort();
  loading = new AbortController();
  const url = address();
  try {
    const response = await fetch(url, { signal: loading.signal });
    if (!response.ok) return location.assign(url);
    // a day by its date is chosen once, and then one of the days to tap
    form().elements.on.value = "";
    swap(await response.text(), "#booking");
    history.replaceState(null, "", url);
    showChosen();
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url);
  }
}

/** The chosen time is in sight, in a list of up to 96. */
function showChosen() {
  const chosen = document.querySelector(".times :checked")?.closest(".chip");
  if (chosen) chosen.parentElement.scrollTop = chosen.offsetTop - chosen.parentElement.offsetTop - 60;
}

document.addEventListener("input", (event) => {
  if (event.target.form !== form() || !form()) return;
  // another day, bay or duration: the start is kept where it can be
  clearTimeout(settling);
  settling = setTimeout(load, event.target.type === "number" ? TYPING_MS : 0);
});
document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  event.preventDefault();
  load();
});
showChosen();
