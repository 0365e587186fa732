// The map: coastline from our own server (or tiles, where a tile server is set), stations as pins, many as clusters.

import { fill, shapes, texts, word } from "./page.js";

const PIN_PX = { x: 66, y: 40 };
const STEM_PX = 8;
const NAME_PX = { x: 120, above: 30, below: 58 };
const NAMES_FROM_ZOOM = 11;

export class StationMap {
  constructor(element, { moved, picked }) {
    this.picked = picked;
    this.stations = new Map();
    this.pins = L.layerGroup();
    this.map = L.map(element, {
      preferCanvas: true,
      zoomControl: false,
      attributionControl: false,
      worldCopyJump: true,
      zoomSnap: 0.5,
      maxZoom: 17,
      minZoom: 2,
    });
    L.control.zoom({ position: "topright" }).addTo(this.map);
    L.control.scale({ imperial: false }).addTo(this.map);
    L.control.attribution({ prefix: "" }).addTo(this.map);
    this.map.setView([30, 0], 2);
    this.pins.addTo(this.map);
    this.background(element.dataset.tiles);
    this.map.on("moveend zoomend", () => this.draw());
    this.map.on("dragend", () => moved(this.centre()));
    addEventListener("themechange", () => this.paint());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  async background(tiles) {
    if (tiles) {
      L.tileLayer(tiles, { maxZoom: 19, attribution: "&copy; OpenStreetMap" }).addTo(this.map);
      return;
    }
    const land = await (await fetch("/map/land.json")).json();
    this.land = L.geoJSON(land, { interactive: false, attribution: "Natural Earth" }).addTo(this.map);
    this.paint();
  }

  /** Give the land the theme's colours: a canvas knows no custom properties. */
  paint() {
    const probe = document.createElement("i");
    this.map.getContainer().append(probe);
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    this.land?.setStyle({ fillColor: colour("land"), fillOpacity: 1, color: colour("coast"), weight: 1.2 });
    probe.remove();
  }

  /** Show the stations that the filters in `query` let through. */
  async load(query) {
    const response = await fetch(`/map/stations.json${query}`);
    if (!response.ok) return;
    const { stations } = await response.json();
    this.stations = new Map(stations.map(([id, name, lat, lon, free, total, status]) =>
      [id, { id, name, lat, lon, free, total, status }]));
    this.frame(query);
    this.draw();
  }

  /** Bring what is shown into view, unless it is the reader's own moving that brought it. */
  frame(query) {
    const asked = new URLSearchParams(query);
    if (asked.get("radius") && this.isFramed) return;
    this.isFramed = true;
    const places = [...this.stations.values()].map(({ lat, lon }) => [lat, lon]);
    if (asked.get("lat")) {
      this.map.setView([Number(asked.get("lat")), Number(asked.get("lon"))], Math.max(13, this.map.getZoom()), { animate: false });
    } else if (places.length) {
      this.map.fitBounds(places, { padding: [88, 64], maxZoom: 14, animate: false });
    }
  }

  centre() {
    const bounds = this.map.getBounds();
    const { lat, lng } = this.map.getCenter();
    return { latitude: lat, longitude: lng, radius_m: this.map.distance(bounds.getCenter(), bounds.getNorthEast()) };
  }

  update(id, free, total, status) {
    const station = this.stations.get(id);
    if (!station || (station.free === free && station.status === status && station.total === total)) return;
    Object.assign(station, { free, total, status });
    if (station.marker) this.dress(station);
    else this.draw();
  }

  /** Put pins for what is in view; those that would cover each other become one cluster. */
  draw() {
    this.pins.clearLayers();
    const view = this.map.getBounds().pad(0.15);
    const groups = new Groups(this.map.getZoom() < this.map.getMaxZoom() ? PIN_PX : { x: 0, y: 0 });
    for (const station of this.stations.values()) {
      station.marker = undefined;
      if (!view.contains([station.lat, station.lon])) continue;
      groups.add(this.map.project([station.lat, station.lon]), station);
    }
    const all = [...groups.all()];
    for (const { at, members } of all) {
      const [station] = members;
      station.hasRoom = all.length < 200 && !all.some((other) => other.at !== at && covers(at, other.at));
      if (members.length > 1) this.cluster(members);
      else this.pin(station);
    }
  }

  pin(station) {
    station.marker = L.marker([station.lat, station.lon], { icon: icon(""), keyboard: true });
    station.marker.on("click keypress", (event) => {
      if (event.type === "click" || event.originalEvent.key === "Enter") this.picked(station.id);
    });
    station.marker.on("add", () => this.dress(station));
    station.marker.addTo(this.pins);
  }

  dress(station) {
    const element = station.marker.getElement();
    // what is seen comes first: WCAG 2.5.3
    element.setAttribute("aria-label", `${station.free}/${station.total} ${station.name}: ${word("status", station.status)}`);
    const pin = document.createElement("div");
    pin.className = "pin";
    pin.dataset.status = station.status;
    pin.append(shape(station.status), `${station.free}/${station.total}`);
    element.replaceChildren(pin);
    element.style.margin = `${-pin.offsetHeight - STEM_PX}px 0 0 ${-pin.offsetWidth / 2}px`;
    if (!station.hasRoom || this.map.getZoom() < NAMES_FROM_ZOOM) return;
    const name = document.createElement("div");
    name.className = "pin-name";
    name.textContent = station.name;
    element.append(" ", name);
  }

  cluster(group) {
    const sum = (field) => group.reduce((total, station) => total + station[field], 0);
    const middle = [sum("lat") / group.length, sum("lon") / group.length];
    const marker = L.marker(middle, { icon: icon("") });
    const nearer = () => this.map.fitBounds(group.map(({ lat, lon }) => [lat, lon]), { padding: [60, 60], maxZoom: 17 });
    marker.on("click", nearer);
    marker.on("keypress", ({ originalEvent }) => originalEvent.key === "Enter" && nearer());
    marker.on("add", () => {
      const bubble = document.createElement("div");
      bubble.className = "cluster";
      bubble.textContent = `${sum("free")}/${sum("total")}`;
      marker.getElement().setAttribute("aria-label", `${bubble.textContent} ${fill(texts.live.stations_here, group.length)}`);
      marker.getElement().replaceChildren(bubble);
      marker.getElement().style.margin = `${-bubble.offsetHeight / 2}px 0 0 ${-bubble.offsetWidth / 2}px`;
    });
    marker.addTo(this.pins);
  }
}

/** Points that lie closer together than a pin is large; each is compared with its neighbours only. */
class Groups {
  constructor(size) {
    this.size = size;
    this.cells = new Map();
  }

  add(at, member) {
    const near = this.find(at);
    if (near) near.members.push(member);
    else this.cells.set(this.key(at, 0, 0), [...(this.cells.get(this.key(at, 0, 0)) ?? []), { at, members: [member] }]);
  }

  find(at) {
    if (!this.size.x) return undefined;
    for (const x of [0, -1, 1]) {
      for (const y of [0, -1, 1]) {
        const near = this.cells.get(this.key(at, x, y))?.find((group) =>
          Math.abs(group.at.x - at.x) < this.size.x && Math.abs(group.at.y - at.y) < this.size.y);
        if (near) return near;
      }
    }
    return undefined;
  }

  key(at, x, y) {
    return `${Math.floor(at.x / (this.size.x || 1)) + x}:${Math.floor(at.y / (this.size.y || 1)) + y}`;
  }

  * all() {
    for (const cell of this.cells.values()) yield* cell;
  }
}

/** Whether another pin would lie on the name under this one. */
function covers(at, other) {
  const below = other.y - at.y;
  return Math.abs(other.x - at.x) < NAME_PX.x && below > -NAME_PX.above && below < NAME_PX.below;
}

function icon(html) {
  return L.divIcon({ className: "", iconSize: null, html });
}

function shape(status) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${shapes}#${status}`);
  svg.append(use);
  return svg;
}
