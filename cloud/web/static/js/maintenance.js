// The fault queue, live: the server draws it, this fetches it anew when something changed.

import { swap } from "./forms.js";
import { showState } from "./live.js";
import { heardServerTime } from "./page.js";
import { Stream } from "./stream.js";

const AT_MOST_EVERY_MS = 700;
let isWaiting = false;
let isStale = false;
let forms = 0;

// what a form answers is newer than a queue that was asked for before it
document.addEventListener("asked", () => {
  forms += 1;
});

/** Fetch the queue; changes in quick succession make one fetch. */
async function refresh() {
  if (isWaiting) {
    isStale = true;
    return;
  }
  isWaiting = true;
  isStale = false;
  const before = forms;
  try {
    const response = await fetch(location.href, { cache: "no-store" });
    if (before !== forms) {
      isStale = true;
    } else if (response.ok) {
      const other = swap(await response.text(), "#queue");
      heardServerTime(other.documentElement.dataset.now);
      showState(stream.state);
    }
  } catch {
    // the stream notices a lost connection and says so
  }
  setTimeout(() => {
    isWaiting = false;
    if (isStale) refresh();
  }, AT_MOST_EVERY_MS);
}

const stream = new Stream(document.getElementById("queue").dataset.stream, {
  state: showState,
  open: refresh,
  alert: refresh,
  resync: refresh,
  refused: () => location.reload(),
});
