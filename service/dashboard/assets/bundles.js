// The bundles: what forecasts, for whom, and how well.

import { ask } from "./api.js";
import { el, table } from "./dom.js";
import { number, span, time } from "./words.js";

export async function bundles(place) {
  const told = await ask("/v1/bundles");
  place.append(el("h1", {}, "Bundles"), ...told.bundles.map((bundle) => {
    const title = el("h2", {}, `${bundle.name}/${bundle.version}`);
    const users = bundle.monitors.length ? `in force for ${bundle.monitors.join(", ")}` : "not in use";
    if (bundle.problem) return el("section", { class: "panel" }, title, el("p", { class: "over" }, `▲ not to be trusted: ${bundle.problem}`));
    const facts = [["Use", users], ["Network", bundle.family ?? "–"], ["Made", time(bundle.created)],
      ["Channels", bundle.channels.map((each) => each.unit ? `${each.name} (${each.unit})` : each.name).join(", ")],
      ["Slot", span(bundle.interval_ms)], ["Budget", bundle.budget],
      ...Object.entries(bundle.metrics).map(([name, value]) => [name, number(value)])];
    return el("section", { class: "panel" }, title, table(["", ""], facts));
  }));
  if (!told.bundles.length) place.append(el("p", { class: "faint" }, "There is none yet: `foresense train` makes one."));
  return null;
}
