// What the server gave this page: its texts, its language, and the server's clock.

const given = JSON.parse(document.querySelector('meta[name="baywatt"]').content);

export const texts = given.texts;
export const language = document.documentElement.lang;
export const shapes = given.shapes;

let offset_ms = Date.parse(document.documentElement.dataset.now) - Date.now();

/** The server's time in ms, as far as it can be known here. */
export function now() {
  return Date.now() + offset_ms;
}

/**
 * Learn from an instant the server just told. It was on its way for a while, so the truth is never
 * behind it: the greatest offset seen on a connection is the best. `isFirst` forgets the others
 * (this machine may have slept, or its clock been set).
 */
export function heardServerTime(instant, isFirst = false) {
  const told = Date.parse(instant);
  if (Number.isNaN(told)) return;
  const seen_ms = told - Date.now();
  if (isFirst || seen_ms > offset_ms) offset_ms = seen_ms;
}

/** Put values into a text's places: `%s` one by one, `%(name)s` by name. */
export function fill(text, values) {
  if (typeof values === "object") return text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
  return text.replace("%s", values);
}

/** The word for a code; the code itself, made readable, where a newer server sent one. */
export function word(table, code) {
  return texts[table][code] ?? code.replaceAll("_", " ");
}

/** Hours and minutes, in a station's zone. */
export function clock(instant, zone, withSeconds = false) {
  const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
  if (withSeconds) form.second = "2-digit";
  return new Intl.DateTimeFormat(language, form).format(new Date(instant));
}

/** h:mm:ss, or m:ss below an hour. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
