// What a reader sees of a stream's state: the dot, and the banner when the connection is lost.

import { clock, fill, now, texts } from "./page.js";

export function showState(state) {
  document.querySelectorAll("[data-live]").forEach((dot) => {
    dot.dataset.live = state;
    dot.textContent = texts.live[state] ?? "";
    dot.hidden = state === "ended";
  });
  const banner = document.getElementById("offline-banner");
  const isLost = state === "offline";
  if (isLost && banner.hidden) {
    banner.querySelector("span").textContent = fill(texts.live.offline, clock(now(), undefined, true));
  }
  banner.hidden = !isLost;
}
