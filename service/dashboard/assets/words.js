// Words and numbers as they are shown; times in the viewer's own zone.

const MARKS = { alarm: "▲ alarm", silent: "◌ silent", learning: "… learning", normal: "● normal", unknown: "? unknown" };
const SEVERITIES = { minor: "▲", major: "▲▲", critical: "▲▲▲" };
const LEAST_DIGITS = 4, MOST_DIGITS = 12, LARGE = 1e7;
const time_ = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function mark(state) {
  return MARKS[state] ?? state;
}

// Severity as a sign that grows with it.
export function severity(name) {
  return `${SEVERITIES[name] ?? "▲"} ${name}`;
}

export function time(text) {
  return text === null || text === undefined ? "–" : time_.format(new Date(text));
}

// The time alone if it is of today, else the day.
export function shortTime(text) {
  if (text === null || text === undefined) return "–";
  const when = new Date(text), isToday = when.toDateString() === new Date().toDateString();
  return isToday ? when.toLocaleTimeString() : when.toLocaleDateString();
}

// From a time to another, or until now.
export function lasted(start, end) {
  return span(Math.max((end ? Date.parse(end) : Date.now()) - Date.parse(start), 0));
}

export function number(value, unit = "") {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e7 || size < 1e-4) ? value.toExponential(2) : String(Number(value.toPrecision(5)));
  return unit ? `${text} ${unit}` : text;
}

// Returns what writes a value so that it is told from others beside it: a hundredth of what is between them is seen, and
// all digits before the point.
export function among(...values) {
  const known = values.filter((each) => typeof each === "number"), most = Math.max(...known.map(Math.abs));
  const apart = Math.max(...known) - Math.min(...known);
  const least = Math.max(LEAST_DIGITS, most >= 1 && most < LARGE ? Math.floor(Math.log10(most)) + 1 : 0);
  const digits = apart > 0 ? Math.min(Math.max(Math.ceil(Math.log10(most / apart)) + 2, least), MOST_DIGITS) : least;
  return (value) => {
    if (typeof value !== "number") return "–";
    const size = Math.abs(value), isPlain = size === 0 || (size >= 1e-4 && size < LARGE);
    return isPlain ? String(Number(value.toPrecision(digits))) : value.toExponential(digits - 1);
  };
}

export function span(ms) {
  const units = [["d", 86400000], ["h", 3600000], ["min", 60000], ["s", 1000]];
  const [unit, size] = units.find(([, each]) => Math.abs(ms) >= each) ?? ["ms", 1];
  return `${Math.round(ms / size)} ${unit}`;
}

export function bytes(count) {
  if (count < 1e6) return `${Math.ceil(count / 1e3)} kB`;
  return count >= 1e9 ? `${(count / 1e9).toFixed(1)} GB` : `${(count / 1e6).toFixed(1)} MB`;
}

// A name as a pattern that only it matches.
export function literal(name) {
  return name.replace(/[[*?]/g, (sign) => `[${sign}]`);
}
