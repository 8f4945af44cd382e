// How the service itself is: rates, lag, what waits and what could not be read.

import { ask, listen } from "./api.js";
import { calmly } from "./calm.js";
import { el, facts, table } from "./dom.js";
import { bytes, number, span, time } from "./words.js";

const FRESH_MS = 5000, RATES = { received: "messages" };

export async function service(place) {
  const tiles = el("div", { class: "tiles" }), links = el("section", { class: "card" }), rest = el("div");
  place.append(el("h1", {}, "Service"), tiles, links, rest);

  function live(told) {
    const lags = Object.entries(told.monitors).map(([name, each]) =>
      [`${name}: age of the newest reading`, each.newest === null ? "–" : span(Math.max(Date.now() - each.newest, 0))]);
    tiles.replaceChildren(...[...Object.entries(told.per_second).map(([name, rate]) => [`${RATES[name] ?? name} each second`, number(Math.round(rate))]),
      ["messages in flight", number(told.messages_in_flight)], ...lags].map(([name, value]) => el("div", { class: "card tile" }, el("b", {}, value), el("span", {}, name))));
    const [well, ill] = ["good", "critical"].map((kind) => (text) => el("span", { class: `badge ${kind}` }, text));
    links.replaceChildren(el("h2", {}, "Connections"), facts([
      ...Object.entries(told.brokers).map(([name, up]) => [`broker ${name}`, up ? well("● connected") : ill("▲ not connected")]),
      ...Object.entries(told.sinks).map(([name, trouble]) => [`sink ${name}`, trouble ? ill(`▲ ${trouble}`) : well("● all is well")]),
      ...(told.refused ? [["a change that is not in force", ill(`▲ ${told.refused}`)]] : [])]));
  }
  async function load() {
    const [status, letters] = await Promise.all([ask("/v1/status"), ask("/v1/dead-letters", { limit: 20 })]);
    if (status.told) live({ ...status.told, per_second: status.per_second });
    const counts = (each) => Object.entries(each).map(([name, count]) => [name, number(count)]);
    rest.replaceChildren(el("div", { class: "columns" },
      box("Streams", counts(status.streams)), box("Open alarms", counts(status.alarms_open)),
      box("Waiting in the outbox", counts(status.outbox)), box("Refused by sinks", counts(status.relay_letters)),
      box("Disk", [["database", bytes(status.database_bytes)], ["free", bytes(status.disk_free_bytes)], ...status.quarantined.map((name) => ["put aside", name])]),
      box("Rejected, by reason", counts(letters.counts))),
    el("section", { class: "card" }, el("h2", {}, "What could not be read"),
      letters.dead_letters.length ? table(["Received", "Reason", "Topic", "What is wrong"],
        letters.dead_letters.map((each) => [time(each.received), each.reason, each.topic, each.detail])) : el("p", { class: "faint" }, "Everything could.")));
  }
  const quiet = calmly(() => load().catch(() => {}));
  await load();
  const timer = setInterval(quiet, FRESH_MS), close = listen({ on: { status: live }, again: quiet });
  return () => { clearInterval(timer); close(); };
}

function box(title, rows) {
  return el("section", { class: "card" }, el("h2", {}, title), rows.length ? facts(rows) : el("p", { class: "faint" }, "none"));
}
