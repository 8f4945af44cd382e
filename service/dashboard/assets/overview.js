// The overview: every stream. Only the rows that are seen are in the page, and only their part of the list is asked for.

import { ask, listen } from "./api.js";
import { calmly } from "./calm.js";
import { button, choice, el, field } from "./dom.js";
import { nothing } from "./nothing.js";
import { row } from "./row.js";
import { mark } from "./words.js";

const HEIGHT = 54, PART = 100, FRESH_MS = 2000, TYPED_MS = 150, MOST_ALARMS = 200;
const SORTS = { "-state": "worst first", "-score": "highest score", name: "name", "-alarms": "most alarms",
  "-achieved": "alarms against budget", "-time": "newest" };
const STATES = ["alarm", "silent", "learning", "normal", "unknown"];

export async function overview(place) {
  const search = el("input", { type: "search", placeholder: "part of a name" });
  const sort = choice(SORTS, "-state");
  const states = el("div", { class: "tabs", role: "group", "aria-label": "State" });
  const list = el("ul", { class: "list" }), empty = el("div");
  const viewport = el("div", { class: "window", tabindex: 0, role: "region", "aria-label": "Streams" }, list);
  const heads = el("div", { class: "head", "aria-hidden": "true" }, ["Stream", "State", "Score", "Newest scores", "Alarms", "Newest"].map((text) => el("span", {}, text)));
  const summary = el("p", { class: "unseen", role: "status" });
  place.append(el("h1", {}, "Streams"), el("div", { class: "tools wide" }, states, field("Search", search), field("Sort", sort)), summary,
    el("div", { class: "card flush" }, heads, viewport), empty);

  let total = 0, state = "", parts = new Map(), open = new Map(), controller = new AbortController(), typed;

  async function load(part) {
    const { signal } = controller;
    parts.set(part, parts.get(part) ?? []);
    try {
      const told = await ask("/v1/streams", { search: search.value, state, sort: sort.value, offset: part * PART, limit: PART }, signal);
      if (signal.aborted) return;
      total = told.total;
      parts.set(part, told.streams);
      list.style.height = `${total * HEIGHT}px`;
      choose(told.states);
      heads.parentElement.hidden = total === 0;
      empty.replaceChildren(...(total ? [] : [await nothing(search.value || state)]));
      draw();
    } catch (error) {
      if (error.name !== "AbortError") empty.replaceChildren(el("p", { class: "over" }, error.message));
    }
  }
  // The open alarms, whose sentences stand in the rows of their streams.
  async function loadAlarms() {
    const found = await Promise.all(["acknowledged", "open"].map((each) => ask("/v1/alarms", { state: each, limit: MOST_ALARMS })));
    open = new Map(found.flatMap((told) => told.alarms).map((alarm) => [alarm.stream, alarm]));
    draw();
  }
  function choose(counts) {
    const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const chips = [["", "all", all], ...STATES.filter((each) => counts[each] || each === state).map((each) => [each, mark(each), counts[each] ?? 0])];
    const focused = states.contains(document.activeElement);
    const text = `${all} streams: ${chips.slice(1).map(([each, , count]) => `${count} ${each}`).join(", ")}`;
    if (summary.textContent !== text) summary.textContent = text;
    states.replaceChildren(...chips.map(([each, name, count]) => button([el("span", { class: `mark ${each}` }, name), " ", el("b", {}, count)],
      () => { state = each; anew(); }, { "aria-pressed": String(each === state) })));
    if (focused) states.querySelector("[aria-pressed=true]").focus();
  }
  const seen = () => {
    const first = Math.max(0, Math.floor(viewport.scrollTop / HEIGHT) - 5);
    return [first, Math.min(total, first + Math.ceil(viewport.clientHeight / HEIGHT) + 10)];
  };
  const partsSeen = () => {
    const [first, end] = seen(), found = [];
    for (let part = Math.floor(first / PART); part * PART < Math.max(end, 1); part += 1) found.push(part);
    return found;
  };
  function draw() {
    const [first, end] = seen();
    const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const rows = [];
    for (let at = first; at < end; at += 1) {
      const known = parts.get(Math.floor(at / PART))?.[at % PART];
      if (!known) continue;
      const made = row(known, open.get(known.id), at, total);
      made.style.top = `${at * HEIGHT}px`;
      rows.push(made);
    }
    list.replaceChildren(...rows);
    if (focused) list.querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true });
  }
  async function anew() {
    controller.abort();
    controller = new AbortController();
    parts = new Map();
    viewport.scrollTop = 0;
    await load(0);
  }
  const refresh = calmly(() => Promise.all(partsSeen().map(load)));
  const alarmed = calmly(() => Promise.all([refresh(), loadAlarms().catch(() => {})]));
  viewport.addEventListener("scroll", () => {
    for (const part of partsSeen()) if (!parts.has(part)) load(part);
    draw();
  });
  search.addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(anew, TYPED_MS); });
  sort.addEventListener("change", anew);
  const timer = setInterval(refresh, FRESH_MS);
  const close = listen({ on: { alarm: alarmed, state: refresh }, again: alarmed });
  await Promise.all([load(0), loadAlarms().catch(() => {})]);
  return () => { clearInterval(timer); close(); controller.abort(); };
}
