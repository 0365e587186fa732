// One station, live.

import { setAge } from "./ages.js";
import { expire, holdOn, showBay, tally } from "./bay.js";
import { showState } from "./live.js";
import { heardServerTime } from "./page.js";
import { Stream } from "./stream.js";

const place = document.querySelector("[data-stream]");
const zone = place.dataset.zone;
const bayOf = (id) => place.querySelector(`[data-bay="${CSS.escape(id)}"]`);

function showStation(detail) {
  heardServerTime(detail.as_of, true);
  const known = detail.station.bays.every((bay) => bayOf(bay.bay_id));
  if (!known) return location.reload();
  detail.station.bays.forEach((bay) => showBay(bayOf(bay.bay_id), bay, zone));
  setAge(place.querySelector(".heard"), detail.station.heard_at);
  tally(place);
}

new Stream(place.dataset.stream, {
  state: showState,
  snapshot: showStation,
  bay(bay) {
    const element = bayOf(bay.bay_id);
    if (element && showBay(element, bay, zone)) tally(place);
  },
  heard(heard) {
    heardServerTime(heard.heard_at);
    const restored = [...place.querySelectorAll("[data-bay]")].map((element) => holdOn(element, heard, zone));
    if (restored.includes(true)) tally(place);
    setAge(place.querySelector(".heard"), heard.heard_at);
  },
});

setInterval(() => expire(place) && tally(place), 500);
