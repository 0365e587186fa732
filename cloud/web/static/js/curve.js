// Power and energy over time, by uPlot. Cost grows with energy, so their curve is one, with two scales.

import { clock, language, texts } from "./page.js";

export function drawCurve(element, points, { zone, price, money }) {
  const data = [[], [], []];
  const take = ([at_s, power_kw, energy_kwh]) => {
    const last_s = data[0].at(-1);
    if (last_s !== undefined && at_s < last_s) return;
    if (at_s === last_s) data.forEach((series) => series.pop());
    [at_s, power_kw, energy_kwh].forEach((value, i) => data[i].push(value));
  };
  points.forEach(take);
  let plot;

  const draw = () => {
    plot?.destroy();
    element.replaceChildren();
    plot = new uPlot(options(element, { zone, price, money }), data, element);
  };
  draw();
  new ResizeObserver(() => plot.setSize(size(element))).observe(element);
  addEventListener("themechange", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  return {
    replace(fresh) {
      data.forEach((series) => series.splice(0));
      fresh.forEach(take);
      plot.setData(data);
    },
    add(session) {
      if (!session.sampled_at) return;
      const power_kw = session.power_w === null ? null : session.power_w / 1000;
      take([Math.floor(Date.parse(session.sampled_at) / 1000), power_kw, session.energy_wh / 1000]);
      plot.setData(data);
    },
  };
}

function size(element) {
  return { width: Math.max(200, element.clientWidth), height: 280 };
}

function options(element, { zone, price, money }) {
  const probe = document.createElement("i");
  element.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const unit = (name) => (_, value) => (value === null ? "\u2013" : `${number.format(value)} ${name}`);
  const axis = { stroke: colour("ink-2"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const made = {
    ...size(element),
    tzDate: (at_s) => uPlot.tzDate(new Date(at_s * 1000), zone),
    cursor: { points: { size: 8 } },
    scales: { kW: { range: (_, low, high) => [0, Math.max(1, high * 1.15)] }, kWh: { range: (_, low, high) => [0, Math.max(0.1, high * 1.15)] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((at_s) => clock(at_s * 1000, zone)), space: 64 },
      { ...axis, scale: "kW", values: (_, ticks) => ticks.map((kw) => `${number.format(kw)} kW`), size: 62 },
      { ...axis, scale: "kWh", side: 1, space: 46, grid: { show: false }, values: (_, ticks) => ticks.map((kwh) => `${number.format(kwh)} kWh\n${money.format(kwh * price)}`), size: 74 },
    ],
    series: [
      { label: texts.live.time, value: (_, at_s) => (at_s === null ? "\u2013" : clock(at_s * 1000, zone, true)) },
      { label: texts.live.power, scale: "kW", stroke: colour("charging"), width: 2.5, points: { show: false }, fill: colour("charging-tint"), value: unit("kW"), spanGaps: true },
      { label: texts.live.energy, scale: "kWh", stroke: colour("available"), width: 2.5, points: { show: false }, dash: [7, 4],
        value: (_, kwh) => (kwh === null ? "\u2013" : `${number.format(kwh)} kWh \u00b7 ${money.format(kwh * price)}`) },
    ],
  };
  probe.remove();
  return made;
}
