// A bay on a page: the same element whether it is a line of the list or the drawing of a station.

import { setAge } from "./ages.js";
import { clock, now, shapes, texts, word } from "./page.js";

const CABLE = new Set(["plugged", "charging", "suspended_by_car", "suspended_by_charger", "finishing", "idle"]);

const lastTold = new WeakMap();

export function isStale(until) {
  return !until || now() >= Date.parse(until);
}

/** What to draw, as cloud/web/bays.py says it. */
export function scene(bay) {
  if (bay.status === "UNKNOWN") return { car: 0, cable: 0, flow: 0 };
  const trusted = bay.witnesses.filter((witness) => witness.is_trusted);
  const seesCable = trusted.some((w) => w.witness !== "sensor" && CABLE.has(w.says));
  const flows = bay.status === "CHARGING" && trusted.some((w) => w.says === "charging");
  const occupied = trusted.some((w) => w.says === "occupied");
  return { car: Number(seesCable || occupied || flows), cable: Number(seesCable || flows), flow: Number(flows) };
}

/** Show a bay as the server told it; false if the page knows a newer word. */
export function showBay(element, bay, zone) {
  if (bay.version < Number(element.dataset.version)) return false;
  lastTold.set(element, bay);
  const told = isStale(bay.valid_until) ? { ...bay, status: "UNKNOWN" } : bay;
  const isNews = element.dataset.status !== told.status;
  element.dataset.version = bay.version;
  element.dataset.until = bay.valid_until ?? "";
  setStatus(element, told.status);
  const drawn = scene(told);
  Object.assign(element.dataset, drawn);
  showWords(element, told, zone);
  setAge(element.querySelector("time[data-age]"), told.since ?? told.observed_at ?? told.heard_at);
  if (isNews) flash(element);
  return true;
}

function setStatus(element, status) {
  element.dataset.status = status;
  element.querySelector(".shape use").setAttribute("href", `${shapes}#${status}`);
  element.querySelector("[data-word]").textContent = word("status", status);
}

function showWords(element, bay, zone) {
  const reason = element.querySelector("[data-reason]");
  if (!reason) return;
  reason.textContent = texts.reason[bay.reason] ?? bay.reason;
  element.querySelector("[data-since]").textContent = bay.since ? clock(bay.since, zone) : "\u2013";
  const end = element.querySelector("[data-end]");
  end.hidden = !bay.expected_end_at;
  if (bay.expected_end_at) end.querySelector("b").textContent = clock(bay.expected_end_at, zone);
  element.querySelector(".witnesses").replaceChildren(...bay.witnesses.map(witnessLine));
}

function witnessLine(witness) {
  const line = document.createElement("li");
  line.classList.toggle("is-doubted", !witness.is_trusted);
  const said = document.createElement("span");
  const what = document.createElement("b");
  what.textContent = word("says", witness.says).toLowerCase();
  said.append(`${word("witness", witness.witness)}: `, what);
  if (!witness.is_trusted) said.append(` ${texts.live.not_counted}`);
  const age = document.createElement("time");
  age.className = "age";
  age.dataset.age = "";
  line.append(said, age);
  setAge(age, witness.observed_at);
  return line;
}

function flash(element) {
  element.classList.remove("is-told");
  requestAnimationFrame(() => element.classList.add("is-told"));
}

/**
 * The station was heard: its bays' words hold on, and one that ran out here holds again (had it changed,
 * that would have been told). Returns whether that was so.
 */
export function holdOn(element, heard, zone) {
  if (element.dataset.until >= heard.valid_until) return false;
  element.dataset.until = heard.valid_until;
  const bay = lastTold.get(element);
  if (!bay || bay.status === element.dataset.status) return false;
  return showBay(element, { ...bay, heard_at: heard.heard_at, valid_until: heard.valid_until }, zone);
}

/** Show UNKNOWN where the word no longer holds; returns whether anything changed. */
export function expire(root) {
  let changed = false;
  for (const element of root.querySelectorAll("[data-bay]")) {
    if (element.dataset.status === "UNKNOWN" || !isStale(element.dataset.until)) continue;
    setStatus(element, "UNKNOWN");
    Object.assign(element.dataset, { car: 0, cable: 0, flow: 0 });
    const reason = element.querySelector("[data-reason]");
    if (reason) reason.textContent = texts.live.no_news;
    changed = true;
  }
  return changed;
}

/** Count a station's bays again, as they are shown. */
export function tally(root) {
  const bays = [...root.querySelectorAll("[data-bay]")];
  const free = bays.filter((bay) => bay.dataset.status === "AVAILABLE").length;
  const shown = root.querySelector("[data-tally]");
  shown.dataset.status = free ? "AVAILABLE" : "UNKNOWN";
  shown.querySelector("[data-free]").textContent = free;
  shown.querySelector("[data-total]").textContent = bays.length;
  return { free, total: bays.length };
}
