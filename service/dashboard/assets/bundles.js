// The bundles: what forecasts, for whom, and how well.

import { ask } from "./api.js";
import { el, facts } from "./dom.js";
import { bytes, number, span, time } from "./words.js";

export async function bundles(place) {
  const told = await ask("/v1/bundles");
  place.append(el("h1", {}, "Bundles"), ...told.bundles.map(card));
  if (!told.bundles.length) place.append(el("p", { class: "empty" }, "There is none yet: `foresense train` makes one."));
  return null;
}

function card(bundle) {
  const title = el("h2", {}, `${bundle.name}/${bundle.version}`);
  if (bundle.problem) return el("section", { class: "card" }, title, el("p", { class: "over" }, `▲ not to be trusted: ${bundle.problem}`));
  const use = bundle.monitors.length ? el("span", { class: "badge good" }, `● in force for ${bundle.monitors.join(", ")}`) : el("span", { class: "badge" }, "○ not in use");
  const size = Object.values(bundle.files).reduce((sum, each) => sum + each, 0);
  return el("section", { class: "card" }, el("header", {}, title, use), el("div", { class: "columns" },
    facts([["Network", bundle.family ?? "–"], ["Made", time(bundle.created)], ["Interval", span(bundle.interval_ms)],
      ["Budget of false alarms", bundle.budget], ["Time zone", bundle.time_zone ?? "–"], ["Size", bytes(size)]]),
    facts(bundle.channels.map((each) => [each.name, each.unit ?? "no unit"])),
    facts(Object.entries(bundle.metrics).map(([name, value]) => [name.replaceAll("_", " "), number(value)]))));
}
