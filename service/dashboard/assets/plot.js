// One plot of the chart: a channel's value within its expected band, or the score; with its name and what is read off it.

import { el } from "./dom.js";
import { Pen } from "./pen.js";
import { numbers, times } from "./ticks.js";
import { among } from "./words.js";

const AXIS = 20, LEVELS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

export class Plot {
  constructor(name, unit, isScore = false) {
    Object.assign(this, { name, unit, isScore });
    this.canvas = el("canvas", { role: "img", class: isScore ? "score" : null });
    this.read = el("span", { class: "read" });
    this.note = el("span", { class: "over" });
    this.place = el("figure", {}, el("figcaption", {}, el("strong", {}, name), unit ? el("span", { class: "unit" }, unit) : null, this.note, this.read), this.canvas);
  }

  show(column, alarms) {
    Object.assign(this, { column, alarms });
    const { at, value, expected } = this.point(column.time.length - 1);
    this.canvas.setAttribute("aria-label", this.isScore ? `score: ${column.time.length} points, newest ${value}`
      : `${this.name}: ${column.time.length} points, newest ${value}${at === undefined ? "" : `, expected ${expected}`}; ${alarms.length} alarms`);
  }

  // What is known of one point, as words.
  point(index) {
    const { time, mean, expected, lower, upper, score } = this.column;
    if (index < 0 || index >= time.length) return { value: "–", expected: "–", band: "–", score: "–" };
    const short = among(mean[index], expected[index], lower[index], upper[index]), found = among()(score[index]);
    const told = { at: time[index], score: found, expected: short(expected[index]), value: this.isScore ? found : short(mean[index]) };
    return { ...told, band: lower[index] === null ? "–" : `${short(lower[index])} to ${short(upper[index])}`, isOdd: this.isOdd(index) };
  }

  isOdd(index) {
    const { anomalies, min, max, lower, upper } = this.column;
    if (!anomalies[index]) return false;
    return this.isScore || max[index] > upper[index] || (lower[index] !== null && min[index] < lower[index]);
  }

  // The place of the point nearest to a time.
  nearest(at) {
    const { time } = this.column;
    let low = 0, high = time.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (time[middle] <= at) low = middle;
      else high = middle;
    }
    return high >= 0 && Math.abs(time[high] - at) < Math.abs(time[low] - at) ? high : low;
  }

  tell(index) {
    const { value, expected, band } = this.point(index);
    this.read.replaceChildren(...(this.isScore ? [el("b", {}, value)]
      : [el("b", {}, value), ` expected ${expected}`, el("span", { class: "band" }, ` (${band})`)]));
  }

  draw(period, bucketMs) {
    if (!this.column || !this.canvas.clientWidth) return;
    const { time, min, max, mean, expected, lower, upper, score } = this.column;
    const bounds = this.isScore ? [0, Math.max(2.5, greatest(score)) * 1.1] : range([min, max, lower, upper]);
    const pen = new Pen(this.canvas, period, bounds, { bucketMs, bottom: this.isScore ? AXIS : 4, bend: this.isScore ? Math.sqrt : undefined });
    for (const alarm of this.alarms) pen.shade(Date.parse(alarm.start), alarm.end ? Date.parse(alarm.end) : period[1]);
    const moments = times(...period, Math.max(2, Math.floor(this.canvas.clientWidth / 110)));
    pen.grid(this.isScore ? levels(bounds[1]) : numbers(...bounds, 4), moments, this.isScore);
    pen.within(() => {
      if (this.isScore) {
        pen.area(time, score.map((each) => each === null ? null : Math.min(each, 1)), score, "--alarm", 0.3);
        pen.level(1, "limit");
        pen.line(time, score, "--blue");
      } else {
        pen.area(time, lower, upper, "--band");
        pen.line(time, expected, "--expected", { dash: [4, 3], width: 1 });
        if (min.some((each, at) => each !== max[at])) pen.area(time, min, max, "--blue", 0.35);
        pen.line(time, mean, "--blue");
      }
      const values = this.isScore ? score : max.map((each, at) => each > upper[at] ? each : min[at]);
      time.forEach((at, index) => { if (values[index] !== null && this.isOdd(index)) pen.sign(at, values[index]); });
    });
  }
}

function greatest(values) {
  return values.reduce((most, each) => Math.max(most, each ?? 0), 0);
}

function levels(high) {
  const most = LEVELS.filter((each) => each <= high), apart = [];
  for (const at of most.toReversed()) if (at === 0 || !apart.length || Math.sqrt(apart.at(-1)) - Math.sqrt(at) > Math.sqrt(high) / 5) apart.push(at);
  return apart.map((at) => ({ at, text: String(at) }));
}

// The least and the greatest value, with a little room about them.
function range(columns) {
  let low = Infinity, high = -Infinity;
  for (const column of columns) for (const value of column) if (value !== null) { low = Math.min(low, value); high = Math.max(high, value); }
  if (!Number.isFinite(low)) return [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}
