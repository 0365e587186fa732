// A charge, live: the figures tick, the curve grows, and at the end the page becomes the receipt.

import { drawCurve } from "./curve.js";
import { showState } from "./live.js";
import { clock, duration, fill, heardServerTime, language, now, texts, word } from "./page.js";
import { Stream } from "./stream.js";

const card = document.getElementById("charge");
const { zone, currency, stream, started } = card.dataset;
const field = (name) => card.querySelector(`[data-field="${name}"]`);
const money = new Intl.NumberFormat(language, { style: "currency", currency });
const minor = 10 ** money.resolvedOptions().maximumFractionDigits;
const decimals = (least, most) => new Intl.NumberFormat(language, { minimumFractionDigits: least, maximumFractionDigits: most });
const kwh = (wh) => `${decimals(2, 2).format(wh / 1000)} kWh`;
const curve = drawCurve(document.getElementById("chart"), JSON.parse(card.dataset.curve), {
  zone,
  price: Number(card.dataset.price) / minor,
  money,
});

function show(session) {
  heardServerTime(session.as_of);
  if (session.version < Number(card.dataset.version)) return;
  card.dataset.version = session.version;
  if (!session.is_live) return location.reload();
  field("power").textContent = session.power_w === null ? "\u2013" : decimals(0, 1).format(session.power_w / 1000);
  field("energy").textContent = kwh(session.energy_wh);
  field("export").textContent = kwh(session.export_wh);
  card.querySelector("[data-given-back]").toggleAttribute("hidden", !session.export_wh);
  field("cost").textContent = money.format(session.cost_minor / minor);
  field("end").textContent = session.expected_end_at ? clock(session.expected_end_at, zone) : "\u2013";
  field("state").textContent = word("session", session.state);
  field("as-of").textContent = fill(texts.live.as_of, clock(session.sampled_at ?? session.as_of, zone, true));
  card.querySelector("[data-state-tag]").dataset.status = session.state === "charging" ? "CHARGING" : "BLOCKED";
  showBattery(session.soc_pct);
  curve.add(session);
}

function showBattery(soc_pct) {
  field("soc").textContent = soc_pct === null ? texts.live.not_reported : `${Math.round(soc_pct)} %`;
  const bar = card.querySelector("[data-soc-bar]");
  bar.toggleAttribute("hidden", soc_pct === null);
  bar.querySelector(".level").setAttribute("width", soc_pct ?? 0);
}

/** More was missed than is told: the curve is fetched whole. */
async function missed() {
  const response = await fetch(location.href, { cache: "no-store" });
  if (!response.ok) return;
  const other = new DOMParser().parseFromString(await response.text(), "text/html");
  curve.replace(JSON.parse(other.getElementById("charge").dataset.curve));
}

if (card.dataset.liveSession === "1") {
  setInterval(() => {
    field("elapsed").textContent = duration((now() - Date.parse(started)) / 1000);
  }, 1000);
  const events = new Stream(stream, {
    state: showState,
    session(session) {
      if (!session.is_live) events.close();
      show(session);
    },
    resync: missed,
    // signed out, or it has ended: the page itself knows the way on
    refused: () => location.reload(),
  });
}
