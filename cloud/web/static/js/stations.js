// The list and the map: one set of stations, the address says which.

import { setAge } from "./ages.js";
import { expire, holdOn, showBay, tally } from "./bay.js";
import { swap } from "./forms.js";
import { showState } from "./live.js";
import { StationMap } from "./map.js";
import { heardServerTime, texts } from "./page.js";
import { Stream } from "./stream.js";

const SETTLE_MS = 350;
const form = document.getElementById("filters");
const map = new StationMap(document.getElementById("map"), { moved, picked });
const results = () => document.getElementById("results");
const cardOf = (id) => document.querySelector(`[data-station="${CSS.escape(id)}"]`);
const bayOf = (id) => document.querySelector(`[data-bay="${CSS.escape(id)}"]`);

let stream;
let loading;
let settling;

/** The address of what the form says, without what is at rest. */
function address() {
  const query = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...query]) if (!value.trim()) query.delete(name);
  return query.size ? `/?${query}` : "/";
}

/** Show what an address says: in the address bar, the list, the map and the stream. */
async function load(url, { push = true } = {}) {
  loading?.abort();
  loading = new AbortController();
  try {
    const response = await fetch(url, { signal: loading.signal });
    if (!response.ok) return;
    const other = swap(await response.text(), "#results");
    heardServerTime(other.documentElement.dataset.now);
    if (push && url !== location.pathname + location.search) history.pushState(null, "", url);
    await begin();
  } catch (error) {
    if (error.name !== "AbortError") showState("offline");
  }
}

function settle(delay_ms) {
  clearTimeout(settling);
  settling = setTimeout(() => load(address()), delay_ms);
}

form.addEventListener("input", (event) => settle(event.target.type === "search" ? SETTLE_MS : 0));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  settle(0);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-clear]");
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  showFilters(new URLSearchParams());
  load("/");
  form.q.focus({ preventScroll: true });
});
addEventListener("popstate", () => {
  showFilters(new URLSearchParams(location.search));
  load(location.pathname + location.search, { push: false });
});

/** Make the form say what an address says. */
function showFilters(query) {
  for (const name of ["q", "standard", "power"]) form.elements[name].value = query.get(name) ?? "";
  form.elements.free.checked = query.get("free") === "1";
  setPlace(query.get("lat"), query.get("lon"), query.get("radius"));
}

function setPlace(latitude, longitude, radius_m) {
  const place = { lat: latitude, lon: longitude, radius: radius_m };
  for (const [name, value] of Object.entries(place)) {
    let field = form.querySelector(`input[name="${name}"]`);
    if (!field) {
      field = Object.assign(document.createElement("input"), { type: "hidden", name });
      form.append(field);
    }
    field.value = value ?? "";
  }
  document.getElementById("near").setAttribute("aria-pressed", String(Boolean(latitude && !radius_m)));
}

document.getElementById("near").addEventListener("click", (event) => {
  if (event.currentTarget.getAttribute("aria-pressed") === "true") {
    setPlace();
    return settle(0);
  }
  navigator.geolocation?.getCurrentPosition(
    ({ coords }) => {
      setPlace(coords.latitude.toFixed(4), coords.longitude.toFixed(4));
      settle(0);
    },
    () => {
      const notice = document.querySelector("#results [role=status]");
      notice.textContent = texts.live.near_failed;
    },
  );
});

/** The map was moved by hand: where the list cannot hold all stations, it shows those around there. */
function moved({ latitude, longitude, radius_m }) {
  if (!("more" in results().dataset) && !form.querySelector('input[name="radius"]')?.value) return;
  setPlace(latitude.toFixed(4), longitude.toFixed(4), Math.round(radius_m));
  settle(SETTLE_MS);
}

function picked(id) {
  const card = cardOf(id);
  document.querySelectorAll(".is-picked").forEach((other) => other.classList.remove("is-picked"));
  if (!card) return location.assign(`/stations/${encodeURIComponent(id)}`);
  card.classList.add("is-picked");
  card.scrollIntoView({ block: "nearest", behavior: "smooth" });
  card.querySelector("h2 a").focus({ preventScroll: true });
}

function count(card) {
  if (!card) return;
  const { free, total } = tally(card);
  map.update(card.dataset.station, free, total, overall(card));
  let all = 0;
  document.querySelectorAll(".station-card [data-free]").forEach((shown) => (all += Number(shown.textContent)));
  document.querySelector("[data-all-free]").textContent = all;
}

/** The status a station's marker has: the best a driver can hope for there. */
function overall(card) {
  const has = (status) => card.querySelector(`[data-bay][data-status="${status}"]`);
  return ["AVAILABLE", "CHARGING", "RESERVED", "BLOCKED", "OUTOFORDER", "INOPERATIVE"].find(has) ?? "UNKNOWN";
}

function showStation(station) {
  const card = cardOf(station.station_id);
  if (!card) return;
  for (const bay of station.bays) {
    const line = bayOf(bay.bay_id);
    if (line) showBay(line, bay);
  }
  setAge(card.querySelector(".heard"), station.heard_at);
  count(card);
}

/** Follow the stations that are listed. */
function listen() {
  stream?.close();
  const area = results().dataset.area;
  // a list by name of stations everywhere is no area: the map's view becomes one, see begin()
  if (!area || isEverywhere()) return;
  stream = new Stream(`/api/v1/availability/events?bbox=${area}`, {
    state: showState,
    snapshot(list) {
      heardServerTime(list.as_of, true);
      list.stations.forEach(showStation);
    },
    bay(bay) {
      const line = bayOf(bay.bay_id);
      if (line) {
        if (showBay(line, bay)) count(cardOf(bay.station_id));
      } else if (form.elements.free.checked && bay.status === "AVAILABLE") {
        settle(1000);
      }
    },
    heard(heard) {
      heardServerTime(heard.heard_at);
      const card = cardOf(heard.station_id);
      const restored = [...(card?.querySelectorAll("[data-bay]") ?? [])].map((line) => holdOn(line, heard));
      if (restored.includes(true)) count(card);
      setAge(card?.querySelector(".heard"), heard.heard_at);
    },
  });
}

setInterval(() => document.querySelectorAll(".station-card").forEach((card) => expire(card) && count(card)), 500);

/** More stations than the list holds, and no place: what the map shows decides. */
function isEverywhere() {
  return "more" in results().dataset && !form.querySelector('input[name="lat"]')?.value;
}

async function begin() {
  listen();
  await map.load(location.search);
  if (!isEverywhere()) return;
  const { latitude, longitude, radius_m } = map.centre();
  setPlace(latitude.toFixed(4), longitude.toFixed(4), Math.round(radius_m));
  history.replaceState(null, "", address());
  load(address(), { push: false });
}

begin();
