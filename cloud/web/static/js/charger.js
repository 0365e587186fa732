// A charger's page: say that the charger is being asked, and for how long.

import { texts } from "./page.js";

let ticking;

document.addEventListener("asked", () => {
  const began = Date.now();
  const outcome = () => document.getElementById("outcome");
  const show = () => {
    const notice = document.createElement("p");
    notice.className = "notice";
    notice.dataset.severity = "info";
    notice.textContent = `${texts.live.asking} ${Math.floor((Date.now() - began) / 1000)} s`;
    outcome().replaceChildren(notice);
  };
  show();
  ticking = setInterval(show, 1000);
});

document.addEventListener("answered", () => {
  clearInterval(ticking);
  document.getElementById("outcome").scrollIntoView({ block: "nearest" });
});
