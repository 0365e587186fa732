// Every status says how old it is; this keeps the ages ticking.

import { fill, now, texts } from "./page.js";

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

export function ageText(instant) {
  if (!instant) return texts.age.never;
  const elapsed_s = Math.floor((now() - Date.parse(instant)) / 1000);
  const unit = UNITS.find(([, length_s]) => elapsed_s >= length_s);
  return unit ? fill(texts.age[unit[0]], Math.floor(elapsed_s / unit[1])) : texts.age.now;
}

export function setAge(element, instant) {
  if (!element) return;
  element.setAttribute("datetime", instant ?? "");
  show(element);
}

function show(element) {
  const text = ageText(element.getAttribute("datetime"));
  if (element.textContent !== text) element.textContent = text;
}

export function tick() {
  document.querySelectorAll("time[data-age]").forEach(show);
}

setInterval(tick, 1000);
