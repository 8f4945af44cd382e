// The overview: every stream. Only the rows that are seen are in the page, and only their part of the list is asked for.

import { ask, listen } from "./api.js";
import { choice, el, field } from "./dom.js";
import { sparkline } from "./sparkline.js";
import { mark, number, shortTime, time } from "./words.js";

const HEIGHT = 44, PART = 100, FRESH_MS = 2000, TYPED_MS = 150;
const SORTS = { "-state": "worst first", "-score": "highest score", name: "name", "-alarms": "most alarms",
  "-achieved": "alarms against budget", "-time": "newest" };
const STATES = { "": "all", alarm: "alarm", silent: "silent", learning: "learning", normal: "normal", unknown: "unknown" };

export async function overview(place) {
  const search = el("input", { type: "search", placeholder: "part of a name" });
  const sort = choice(SORTS, "-state"), state = choice(STATES, "");
  const summary = el("p", { class: "faint", role: "status" });
  const list = el("ul", { class: "list" });
  const viewport = el("div", { class: "window", tabindex: 0, role: "region", "aria-label": "Streams" }, list);
  place.append(el("h1", {}, "Streams"),
    el("div", { class: "tools" }, field("Search", search), field("State", state), field("Sort", sort)), summary,
    el("div", { class: "head", "aria-hidden": "true" }, ["Stream", "State", "Score", "Scores", "Alarms, of budget", "Newest"]
      .map((text) => el("span", {}, text))), viewport);

  let total = 0, parts = new Map(), controller = new AbortController(), typed;
  const query = () => ({ search: search.value, state: state.value, sort: sort.value });

  async function load(part) {
    const { signal } = controller;
    parts.set(part, parts.get(part) ?? []);
    try {
      const told = await ask("/v1/streams", { ...query(), offset: part * PART, limit: PART }, signal);
      if (signal.aborted) return;
      total = told.total;
      parts.set(part, told.streams);
      list.style.height = `${total * HEIGHT}px`;
      const counts = Object.entries(told.states).filter(([, count]) => count);
      summary.textContent = `${total} streams: ${counts.map(([name, count]) => `${count} ${name}`).join(", ") || "none"}`;
      draw();
    } catch (error) {
      if (error.name !== "AbortError") summary.textContent = error.message;
    }
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
      if (known) rows.push(row(known, at, total));
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
  const refresh = () => { for (const part of partsSeen()) load(part); };
  viewport.addEventListener("scroll", () => {
    for (const part of partsSeen()) if (!parts.has(part)) load(part);
    draw();
  });
  search.addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(anew, TYPED_MS); });
  for (const each of [sort, state]) each.addEventListener("change", anew);
  const timer = setInterval(refresh, FRESH_MS);
  const close = listen({ on: { alarm: refresh, state: refresh }, again: refresh });
  await load(0);
  return () => { clearInterval(timer); close(); controller.abort(); };
}

function row(stream, at, total) {
  const budget = stream.achieved === null ? "" : `, ${Math.round(100 * stream.achieved)} %`;
  const name = `${stream.name}${stream.muted ? " (muted)" : ""}`;
  const made = el("li", { class: "row", "aria-setsize": total, "aria-posinset": at + 1 },
    el("a", { href: `#/stream/${stream.id}` }, el("span", { title: `${stream.monitor}/${stream.name}` }, name),
      el("span", { class: `mark ${stream.state}` }, mark(stream.state)),
      el("span", { class: stream.score >= 1 ? "over" : "" }, number(stream.score === null ? null : Number(stream.score.toFixed(2)))),
      sparkline(stream.sparkline), el("span", {}, `${stream.alarms} in 7 days${budget}`),
      el("span", { class: "faint", title: time(stream.time) }, shortTime(stream.time))));
  made.style.top = `${at * HEIGHT}px`;
  return made;
}
