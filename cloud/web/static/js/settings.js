// Telling this browser: Push API, with the house's key.

import { texts } from "./page.js";

const place = document.getElementById("push");
const button = place.querySelector("button");
const said = place.querySelector("[role=status]");

/** Whether this browser can be told at all: it needs a worker, and the reader must not have said no. */
async function begin() {
  if (!place.dataset.key || !("PushManager" in window) || !("serviceWorker" in navigator)) return;
  place.hidden = false;
  const registration = await navigator.serviceWorker.ready;
  show(Boolean(await registration.pushManager.getSubscription()));
}

function show(isOn) {
  said.textContent = isOn ? texts.booking.push_on : texts.booking.push_off;
  button.disabled = isOn;
}

button.addEventListener("click", async () => {
  try {
    const registration = await navigator.serviceWorker.ready;
    const subscription = await registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: place.dataset.key,
    });
    const response = await fetch("/api/v1/me/push-subscriptions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(subscription),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    show(true);
  } catch {
    said.textContent = texts.booking.push_refused;
  }
});

begin();
