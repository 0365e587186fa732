// Server-sent events over fetch: unlike EventSource it hears the heartbeats, notices a connection that
// died without a word, and resumes by Last-Event-ID whatever the server answered in between.

// what nobody answers is told within 5 s: quiet, a look, an answer that does not come
const QUIET_MS = 3500;
const LOOK_MS = 500;
const ANSWER_MS = 900;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 4000;

export class Stream {
  /**
   * @param url where the events are
   * @param handlers event name -> function(data, id); `open` on each connection with whether it resumes;
   *   `state` with "connecting", "live", "offline" or "ended"; `refused` with the HTTP status for which
   *   there is no use in asking again
   */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
    this.lastId = "";
    this.failures = 0;
    this.isClosed = false;
    this.lastHeardAt = performance.now();
    this.watch = setInterval(() => this.probe(), LOOK_MS);
    addEventListener("online", () => this.restart());
    addEventListener("offline", () => this.lost());
    document.addEventListener("visibilitychange", () => this.wake());
    this.say("connecting");
    this.run();
  }

  close() {
    this.isClosed = true;
    clearInterval(this.watch);
    this.aborter?.abort();
    this.say("ended");
  }

  say(state) {
    if (this.state === state) return;
    this.state = state;
    this.handlers.state?.(state);
  }

  async run() {
    while (!this.isClosed) {
      try {
        await this.connect();
        this.failures = 0;
      } catch (error) {
        if (error instanceof Refused) {
          this.close();
          return this.handlers.refused?.(error.status);
        }
        this.failures += 1;
      }
      if (this.isClosed) return;
      this.lost();
      await this.pause();
    }
  }

  async connect() {
    this.aborter = new AbortController();
    const headers = { Accept: "text/event-stream" };
    if (this.lastId) headers["Last-Event-ID"] = this.lastId;
    const giveUp = setTimeout(() => this.aborter.abort(), 8000);
    const response = await fetch(this.url, { headers, cache: "no-store", signal: this.aborter.signal });
    clearTimeout(giveUp);
    // 204: all has been told; 422: such a stream there is not
    if ([204, 401, 403, 404, 422].includes(response.status)) throw new Refused(response.status);
    if (!response.ok) throw new Error(`status ${response.status}`);
    this.lastHeardAt = performance.now();
    this.failures = 0;
    this.say("live");
    this.handlers.open?.(Boolean(this.lastId));
    await this.read(response.body.pipeThrough(new TextDecoderStream()).getReader());
  }

  async read(reader) {
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.lastHeardAt = performance.now();
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      blocks.forEach((block) => this.take(block));
    }
  }

  take(block) {
    let name = "message";
    const data = [];
    for (const line of block.split(/\r?\n/)) {
      const [field, ...more] = line.split(":");
      const value = more.join(":").replace(/^ /, "");
      if (field === "event") name = value;
      else if (field === "data") data.push(value);
      else if (field === "id") this.lastId = value;
    }
    if (name === "resync") this.lastId = "";
    if (data.length || name === "resync") {
      this.handlers[name]?.(data.length ? JSON.parse(data.join("\n")) : null);
    }
  }

  lost() {
    if (!this.isClosed) this.say("offline");
  }

  /** Nothing heard for a while: ask whether the server is there at all, so that silence is not trusted. */
  async probe() {
    if (this.isClosed || this.isProbing || document.hidden || this.state !== "live") return;
    if (performance.now() - this.lastHeardAt < QUIET_MS) return;
    this.isProbing = true;
    const asking = new AbortController();
    const giveUp = setTimeout(() => asking.abort(), ANSWER_MS);
    try {
      await fetch("/livez", { cache: "no-store", signal: asking.signal });
      this.lastHeardAt = performance.now();
    } catch {
      this.lost();
      this.aborter?.abort();
    } finally {
      clearTimeout(giveUp);
      this.isProbing = false;
    }
  }

  /** A tab that slept may hold a connection that is none. */
  wake() {
    if (!document.hidden && performance.now() - this.lastHeardAt > QUIET_MS) this.probe();
    if (!document.hidden && this.state === "offline") this.restart();
  }

  restart() {
    this.failures = 0;
    this.hurry?.();
    if (this.state === "offline") this.aborter?.abort();
  }

  async pause() {
    const wait_ms = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures);
    await new Promise((resolve) => {
      this.hurry = resolve;
      setTimeout(resolve, wait_ms * (0.5 + Math.random() / 2));
    });
    this.hurry = undefined;
  }
}

class Refused extends Error {
  constructor(status) {
    super(`status ${status}`);
    this.status = status;
  }
}
