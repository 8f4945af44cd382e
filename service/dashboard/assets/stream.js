// One stream: its open alarm first; its chart, live and as far back as is stored; its mutes, its budget and its past alarms.

import { ask, listen } from "./api.js";
import { card, shares } from "./alarm.js";
import { budget } from "./budget.js";
import { calmly } from "./calm.js";
import { Chart } from "./chart.js";
import { button, el, facts, notice } from "./dom.js";
import { mutes } from "./mute.js";
import { mark, number, span, time } from "./words.js";

const SPANS = { "10 min": 6e5, "1 h": 36e5, "6 h": 216e5, "1 day": 864e5, "7 days": 6048e5, "30 days": 2592e6, all: null };
const POINTS = 600, SLOTS = 60, DAY_MS = 864e5, LEAST_SHARE = 0.05;
const LEGEND = [["value", "value"], ["expected", "expected, with its band"], ["odd", "◆ outside the band, and anomalous"], ["shaded", "▼ alarm"]];

export async function stream(place, id) {
  let about = await ask(`/v1/streams/${id}`), told = null, asked = 0, period = null;
  let length = Object.values(SPANS).find((each) => each >= SLOTS * (about.interval_ms ?? 6e4)) ?? DAY_MS;
  const head = el("header", { class: "stream", role: "status" }), open = el("div", { "aria-live": "polite" });
  const spans = el("div", { class: "tabs", role: "group", "aria-label": "How far back" });
  const past = el("div"), muting = el("section", { class: "card" }), budgeting = el("section", { class: "card" });
  const chart = new Chart((from, to) => { period = [from, Math.min(to, Date.now() + DAY_MS)]; reload(); });
  place.append(el("h1", {}, about.name), head, open, el("section", { class: "card" }, el("div", { class: "tools wide" }, spans, chart.buttons), chart.place,
    el("p", { class: "legend" }, LEGEND.map(([kind, text]) => el("span", { class: kind }, text)), el("span", {}, "Drag, + and − zoom; arrows read off."))),
  el("div", { class: "columns" }, muting, budgeting), el("h2", {}, "Past alarms of the time that is shown"), past);

  function tell() {
    head.replaceChildren(el("span", { class: `badge ${about.state}` }, mark(about.state)), about.muted ? el("span", { class: "badge" }, "⊘ muted") : "",
      facts([["Score", number(about.score === null ? null : Number(about.score.toFixed(2)))], ["Newest", time(about.time)],
        ["Monitor", about.site ? `${about.monitor} at ${about.site}` : about.monitor], ["Bundle", about.bundle ?? "none"],
        ...(about.interval_ms ? [["Interval", span(about.interval_ms)], ...(about.ready_in ? [["Ready in", span(about.ready_in * about.interval_ms)]] : [])] : [])]));
  }
  function draw() {
    chart.show(told, about.name);
    const closed = told.alarms.filter((alarm) => alarm.end).toReversed();
    past.replaceChildren(...(closed.length ? closed.map((alarm) => card(alarm, refresh, { withStream: false, withParts: false })) : [el("p", { class: "faint" }, "None.")]));
  }
  function choose() {
    const focused = spans.contains(document.activeElement);
    spans.replaceChildren(...Object.entries(SPANS).map(([name, each]) => button(name, () => { length = each; period = null; reload(); }, { "aria-pressed": String(!period && length === each) })),
      period ? button("Live again", () => { period = null; reload(); }) : "");
    if (focused) spans.querySelector("[aria-pressed=true]")?.focus();
  }
  async function load() {
    const mine = ++asked;
    const newest = about.time ? Date.parse(about.time) : Date.now();
    const [from, to] = period ?? [length === null ? 0 : newest - length, null];
    const found = await ask(`/v1/streams/${id}/history`, { from: new Date(Math.max(from, DAY_MS)).toISOString(), to: to === null ? null : new Date(to).toISOString(), points: POINTS });
    if (mine !== asked) return;
    told = found;
    choose();
    draw();
  }
  const reload = () => load().catch((error) => notice(error.message));
  async function loadOpen() {
    const found = await Promise.all(["open", "acknowledged"].map((state) => ask("/v1/alarms", { state, stream: id, limit: 5 })));
    const alarms = found.flatMap((each) => each.alarms);
    open.replaceChildren(...alarms.map((alarm) => card(alarm, refresh, { withStream: false })));
    return alarms;
  }
  async function refresh() {
    about = await ask(`/v1/streams/${id}`);
    tell();
    mutes(muting, about, refresh);
    const [alarms] = await Promise.all([loadOpen(), load()]);
    chart.note(Object.fromEntries(alarms.slice(0, 1).flatMap(shares).filter((each) => each.share >= LEAST_SHARE).map((each) => [each.channel, `▲ ${Math.round(100 * each.share)} % of the alarm`])));
  }
  function verdict(said) {
    Object.assign(about, { time: said.time, score: said.score, ready_in: said.ready_in });
    about.state = isSilent(said) ? "silent" : said.alarm ? "alarm" : said.status === "learning" ? "learning" : "normal";
    tell();
    if (period || !told) return;
    if (told.bucket_ms > (about.interval_ms ?? 0)) {
      if (Date.parse(said.time) >= Date.parse(told.end) + told.bucket_ms) anew();
      return;
    }
    for (const each of said.channels) add(told.channels.find((one) => one.channel === each.channel), said, each);
    told.end = new Date(Date.parse(said.time) + told.bucket_ms).toISOString();
    if (length !== null) {
      const start = Math.max(Date.parse(told.start), Date.parse(said.time) - length);
      told.start = new Date(start).toISOString();
      for (const each of told.channels) forget(each, start);
    }
    chart.show(told, about.name);
  }
  const quiet = calmly(() => refresh().catch(() => {})), anew = calmly(() => load().catch(() => {}));
  budget(budgeting, about);
  await refresh();
  const close = listen({ streams: [id], on: { verdict, alarm: (alarm) => { if (String(alarm.stream) === id) quiet(); } }, again: quiet });
  return () => { close(); chart.close(); };
}

// Whether no sensor of a stream says anything.
function isSilent(said) {
  return said.channels.every((each) => each.value === null && each.quality.split("+").includes("silent"));
}

// Adds what was said of a slot to the column of its channel.
function add(column, said, each) {
  const at = Date.parse(said.time);
  if (!column || (column.time.length && at <= column.time.at(-1))) return;
  const values = { time: at, min: each.value, max: each.value, mean: each.value, expected: each.expected, lower: each.lower,
    upper: each.upper, score: said.score, anomalies: said.status === "anomaly" ? 1 : 0, slots: 1 };
  for (const [name, value] of Object.entries(values)) column[name].push(value);
}

// Takes out of a column what was before a time.
function forget(column, start) {
  const kept = column.time.findIndex((at) => at >= start);
  if (kept > 0) for (const values of Object.values(column)) if (Array.isArray(values)) values.splice(0, kept);
}
