// One stream: its chart, live and as far back as is stored; its alarms; its mutes and its budget.

import { ask, listen } from "./api.js";
import { panel } from "./alarm.js";
import { budget } from "./budget.js";
import { Chart } from "./chart.js";
import { button, choice, el, field } from "./dom.js";
import { mutes } from "./mute.js";
import { mark, number, span, time } from "./words.js";

const SPANS = { "10 min": 6e5, "1 h": 36e5, "6 h": 216e5, "1 day": 864e5, "7 days": 6048e5, "30 days": 2592e6, all: null };
const POINTS = 600, SLOTS = 60;

export async function stream(place, id) {
  let facts = await ask(`/v1/streams/${id}`), told = null, at = 0, asked = 0, period = null;
  let length = Object.values(SPANS).find((each) => each >= SLOTS * (facts.interval_ms ?? 6e4)) ?? 864e5;
  const state = el("p", { role: "status" });
  const value = el("canvas", { tabindex: 0, role: "img" }), score = el("canvas", { class: "score", role: "img" });
  const channel = choice(Object.fromEntries(facts.channels.map((each, index) => [index, each.channel])), "0");
  const spans = el("div", { class: "tools", role: "group", "aria-label": "How far back" });
  const list = el("div"), muting = el("section", { class: "panel" }), budgeting = el("section", { class: "panel" });
  place.append(el("h1", {}, facts.name), state, spans, value, score,
    el("p", { class: "legend" }, "Line: value. Band: expected. Dots: scored 1 or more. Shaded: alarms. Beneath: the score; the dashed line is the limit. Drag to zoom; + − ← → on the chart."),
    el("div", { class: "columns" }, muting, budgeting), el("h2", {}, "Alarms of this time"), list);
  const chart = new Chart(value, score, (from, to) => { period = [from, Math.min(to, Date.now() + 864e5)]; load(); });

  function head() {
    const manifest = facts.bundle ? `bundle ${facts.bundle}, a slot each ${span(facts.interval_ms)}` : "no bundle";
    state.replaceChildren(el("span", { class: `mark ${facts.state}` }, mark(facts.state)), ` · score ${number(facts.score)} · ${facts.monitor}${facts.site ? ` at ${facts.site}` : ""} · ${manifest} · newest ${time(facts.time)}`);
    if (facts.ready_in) state.append(` · judged in ${facts.ready_in} slots`);
  }
  function draw() {
    const shown = told.channels[at];
    if (!shown) return;
    chart.show(shown, [Date.parse(told.start), Date.parse(told.end)], told.alarms, told.bucket_ms);
    const last = shown.time.length - 1;
    value.setAttribute("aria-label", `${shown.channel} of ${facts.name}: ${shown.time.length} points, newest ${number(shown.mean[last], shown.unit)}, expected ${number(shown.expected[last], shown.unit)}; ${told.alarms.length} alarms`);
    score.setAttribute("aria-label", `Score: newest ${number(shown.score[last])}`);
    list.replaceChildren(...told.alarms.toReversed().map((alarm) => panel(alarm, load, { withStream: false })));
    if (!told.alarms.length) list.replaceChildren(el("p", { class: "faint" }, "None."));
  }
  function choose() {
    spans.replaceChildren(...Object.entries(SPANS).map(([name, each]) => button(name, () => { length = each; period = null; load(); }, { "aria-pressed": String(!period && length === each) })),
      period ? button("Live again", () => { period = null; load(); }) : "", facts.channels.length > 1 ? field("Channel", channel) : "");
  }
  async function load() {
    const mine = ++asked;
    const newest = facts.time ? Date.parse(facts.time) : Date.now();
    const [from, to] = period ?? [length === null ? 0 : newest - length, null];
    const found = await ask(`/v1/streams/${id}/history`, { from: new Date(Math.max(from, 864e5)).toISOString(), to: to === null ? null : new Date(to).toISOString(), points: POINTS });
    if (mine !== asked) return;
    told = found;
    choose();
    draw();
  }
  function verdict(said) {
    Object.assign(facts, { time: said.time, score: said.score, ready_in: said.ready_in });
    facts.state = said.alarm ? "alarm" : said.status === "learning" ? "learning" : "normal";
    head();
    if (period || !told || told.bucket_ms > (facts.interval_ms ?? 0)) return;
    for (const each of said.channels) add(told.channels.find((one) => one.channel === each.channel), said, each);
    told.end = new Date(Date.parse(said.time) + told.bucket_ms).toISOString();
    if (length !== null) told.start = new Date(Math.max(Date.parse(told.start), Date.parse(said.time) - length)).toISOString();
    draw();
  }
  async function refresh() {
    facts = await ask(`/v1/streams/${id}`);
    head();
    mutes(muting, facts, refresh);
    await load();
  }
  const quiet = () => refresh().catch(() => {});
  channel.addEventListener("change", () => { at = Number(channel.value); draw(); });
  head();
  mutes(muting, facts, refresh);
  budget(budgeting, facts);
  await load();
  const close = listen({ streams: [id], on: { verdict, alarm: (alarm) => { if (String(alarm.stream) === id) quiet(); } }, again: quiet });
  return () => { close(); chart.close(); };
}

function add(column, said, each) {
  const at = Date.parse(said.time);
  if (!column || (column.time.length && at <= column.time.at(-1))) return;
  const values = { time: at, min: each.value, max: each.value, mean: each.value, expected: each.expected, lower: each.lower,
    upper: each.upper, score: said.score, anomalies: said.status === "anomaly" ? 1 : 0, slots: 1 };
  for (const [name, value] of Object.entries(values)) column[name].push(value);
}
