// One stream as a row of the overview.

import { el } from "./dom.js";
import { sparkline } from "./sparkline.js";
import { mark, number, severity, shortTime, time } from "./words.js";

export function row(stream, alarm, at, total) {
  const [site, name] = split(stream.name);
  return el("li", { class: `row ${stream.state}`, "aria-setsize": total, "aria-posinset": at + 1 },
    el("a", { href: `#/stream/${stream.id}`, title: `${stream.monitor}/${stream.name}` },
      el("span", { class: "name" }, el("span", {}, el("span", { class: "faint" }, site), el("strong", {}, name), stream.muted ? el("span", { class: "faint" }, " ⊘ muted") : null),
        alarm ? el("small", { class: "why" }, el("b", {}, severity(alarm.severity)), ` ${alarm.explanation}`) : null),
      el("span", { class: `mark ${stream.state}` }, mark(stream.state)),
      el("span", { class: stream.score >= 1 ? "score over" : "score" }, number(stream.score === null ? null : Number(stream.score.toFixed(2)))),
      sparkline(stream.sparkline),
      el("span", { class: "spent" }, `${stream.alarms} in 7 days`, stream.budget ? el("small", {}, `budget ${stream.budget}`) : null),
      el("span", { class: "faint", title: time(stream.time) }, shortTime(stream.time))));
}

// The levels before the last one, and the last one.
function split(name) {
  const cut = name.lastIndexOf("/") + 1;
  return [name.slice(0, cut), name.slice(cut)];
}
