// A reservation, live: the countdown by the server's clock, and the page again whenever something changed.

import { swap } from "./forms.js";
import { showState } from "./live.js";
import { duration, fill, heardServerTime, language, now, texts } from "./page.js";
import { Stream } from "./stream.js";

const AGAIN_MS = 1500;
const CODE = /^\d{6}$/;
const article = () => document.getElementById("reservation");

let loading = false;
let loadedAt_ms = 0;
/** A form's answer is awaited: it shows how things stand, and what is to be said beside. */
let asking = false;
let told = 0;

/** Show the reservation as it stands: the server writes the words, once for pages with and without scripts. */
async function refresh() {
  if (loading || asking) return;
  loading = true;
  loadedAt_ms = performance.now();
  try {
    const response = await fetch(location.pathname, { cache: "no-store" });
    if (response.status === 401 || response.redirected) return location.reload();
    if (!response.ok) return;
    const text = await response.text();
    if (asking) return;
    const other = swap(text, "#reservation #bell");
    heardServerTime(other.documentElement.dataset.now);
  } catch {
    // no network: the stream says so, and what it tells when it is back brings the page up to date
  } finally {
    loading = false;
  }
}

function tick() {
  const shown = article();
  for (const left of shown.querySelectorAll("[data-countdown]")) {
    const left_ms = Date.parse(left.getAttribute("datetime")) - now();
    left.textContent = duration(Math.ceil(left_ms / 1000));
    left.parentElement.classList.toggle("is-short", left_ms < 60_000);
    if (left_ms <= 0) again();
  }
  for (const button of shown.querySelectorAll("[data-after]")) {
    const wait_s = Math.ceil((Date.parse(button.dataset.after) - now()) / 1000 + Number(button.dataset.pause));
    const isWaiting = wait_s > 0;
    button.disabled = isWaiting;
    button.textContent = isWaiting ? fill(texts.booking.again_in, duration(wait_s)) : texts.booking.again;
  }
  for (const fee of shown.querySelectorAll("[data-overstay]")) fee.textContent = feeSoFar(fee.dataset);
  if (shown.dataset.changes && now() >= Date.parse(shown.dataset.changes)) again();
}

/** Each minute that was begun, as the bill counts it. */
function feeSoFar({ since, fee, currency }) {
  const minutes = Math.max(0, Math.ceil((now() - Date.parse(since)) / 60_000));
  const money = new Intl.NumberFormat(language, { style: "currency", currency });
  return money.format((minutes * Number(fee)) / 10 ** money.resolvedOptions().maximumFractionDigits);
}

function again() {
  if (performance.now() - loadedAt_ms > AGAIN_MS) refresh();
}

/** Six digits are a code: nobody has to press the button after pasting it. */
function sendCode(field) {
  const digits = field.value.replace(/\D/g, "");
  if (CODE.test(digits) && field.value !== field.dataset.sent) {
    field.dataset.sent = field.value;
    field.form.requestSubmit();
  }
}
document.addEventListener("input", (event) => {
  if (event.target.id === "code") sendCode(event.target);
});
// who was quicker than this script has typed it already
const early = document.getElementById("code");
if (early && early.value !== early.defaultValue) sendCode(early);
let stream;
document.addEventListener("asked", () => (asking = true));
document.addEventListener("swapped", () => {
  asking = false;
  if (told > Number(article().dataset.version)) setTimeout(again, AGAIN_MS);
  showState(stream?.state ?? "ended");
  tick();
});
if (article().dataset.liveReservation === "1") {
  stream = new Stream(article().dataset.stream, {
    state: showState,
    reservation(view) {
      heardServerTime(view.server_now);
      told = Math.max(told, view.version);
      if (told > Number(article().dataset.version) || !view.is_live) refresh();
      if (!view.is_live) stream.close();
    },
    resync: refresh,
    refused: refresh,
  });
}
setInterval(tick, 250);
tick();
