// The chart of a stream: a plot a channel and one of the score, above one time axis, with one cursor and one zoom.

import { button, el } from "./dom.js";
import { LEFT, RIGHT } from "./pen.js";
import { Plot } from "./plot.js";
import { time } from "./words.js";

const LEAST_DRAG = 8, APART = 12;

export class Chart {
  // `onZoom(from, to)` is asked for another time, in ms.
  constructor(onZoom) {
    Object.assign(this, { onZoom, plots: [], active: 0, cursor: null, drag: null });
    this.rows = el("div");
    [this.hair, this.chosen, this.tip] = ["hair", "chosen", "tip"].map((name) => el("div", { class: name, hidden: true }));
    this.said = el("p", { class: "unseen", role: "status" });
    this.plotting = el("div", { class: "plots", tabindex: 0, role: "application", "aria-roledescription": "chart" }, this.rows, this.hair, this.chosen, this.tip);
    const move = (title, sign, from, to) => button(sign, () => this.move(from, to), { "aria-label": title, title });
    this.buttons = el("div", { class: "group", role: "group", "aria-label": "Time that is shown" }, move("Earlier", "←", -0.5, -0.5),
      move("Zoom out", "−", -0.5, 0.5), move("Zoom in", "+", 0.25, -0.25), move("Later", "→", 0.5, 0.5));
    this.place = el("div", { class: "chart" }, this.plotting, this.said);
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointerleave", "keydown"]) this.plotting.addEventListener(kind, (event) => this[kind](event));
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.plotting);
    this.theme = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.draw();
    this.theme.addEventListener("change", this.redraw);
  }

  close() {
    this.watch.disconnect();
    this.theme.removeEventListener("change", this.redraw);
  }

  show(told, name) {
    if (this.plots.map((plot) => plot.name).join() !== [...told.channels.map((each) => each.channel), "score"].join()) {
      this.plots = [...told.channels.map((each) => new Plot(each.channel, each.unit)), new Plot("score", "", true)];
      this.rows.replaceChildren(...this.plots.map((plot) => plot.place));
    }
    this.period = [Date.parse(told.start), Date.parse(told.end)];
    this.bucketMs = told.bucket_ms;
    const longest = told.channels.toSorted((one, other) => other.time.length - one.time.length)[0];
    this.plots.forEach((plot, at) => plot.show(told.channels[at] ?? longest, told.alarms));
    this.plotting.setAttribute("aria-label", `${name}: arrows read values off, up and down change the channel, plus and minus zoom`);
    this.draw();
    this.point();
  }

  // Notes beside the names of channels, such as their part in an alarm.
  note(texts) {
    for (const plot of this.plots) plot.note.textContent = texts[plot.name] ?? "";
  }

  draw() {
    if (this.period) for (const plot of this.plots) plot.draw(this.period, this.bucketMs);
  }

  // Shows another time; both ends move by parts of what is shown.
  move(from, to) {
    const width = this.period[1] - this.period[0];
    this.onZoom(this.period[0] + from * width, this.period[1] + to * width);
  }

  width() { return this.plotting.clientWidth - LEFT - RIGHT; }
  timeAt(x) { return this.period[0] + Math.min(Math.max((x - LEFT) / this.width(), 0), 1) * (this.period[1] - this.period[0]); }
  xOf(at) { return LEFT + (at - this.period[0]) / (this.period[1] - this.period[0]) * this.width(); }
  xIn(event) { return event.clientX - this.plotting.getBoundingClientRect().left; }

  pointerdown(event) {
    if (!event.isPrimary || event.button !== 0) return;
    this.drag = [this.xIn(event), this.xIn(event)];
    this.plotting.setPointerCapture(event.pointerId);
  }

  pointermove(event) {
    const x = this.xIn(event);
    if (this.drag) {
      this.drag[1] = x;
      const [from, to] = this.drag.toSorted((one, other) => one - other);
      this.chosen.hidden = to - from <= LEAST_DRAG;
      this.chosen.style.left = `${from}px`;
      this.chosen.style.width = `${to - from}px`;
    }
    const over = this.plots.findIndex((plot) => plot.place.getBoundingClientRect().bottom >= event.clientY);
    this.active = over < 0 ? this.active : over;
    this.cursor = this.period ? this.timeAt(x) : null;
    this.point();
  }

  pointerup() {
    if (!this.drag) return;
    const [from, to] = this.drag.toSorted((one, other) => one - other);
    this.drag = null;
    this.chosen.hidden = true;
    if (to - from > LEAST_DRAG) this.onZoom(this.timeAt(from), this.timeAt(to));
  }

  pointerleave() {
    if (this.drag) return;
    this.cursor = null;
    this.point();
  }

  keydown(event) {
    const plot = this.plots[this.active], last = (plot?.column.time.length ?? 0) - 1;
    if (last < 0) return;
    const here = this.cursor === null ? last + 1 : plot.nearest(this.cursor);
    const places = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last, ArrowUp: here, ArrowDown: here };
    const zooms = { "+": [0.25, -0.25], "-": [-0.5, 0.5] };
    if (zooms[event.key]) this.move(...zooms[event.key]);
    else if (event.key === "Escape") this.cursor = null;
    else if (event.key in places) {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key] ?? 0;
      this.active = Math.min(Math.max(this.active + step, 0), this.plots.length - 1);
      this.cursor = plot.column.time[Math.min(Math.max(places[event.key], 0), last)];
    } else return;
    event.preventDefault();
    this.point();
    if (this.cursor !== null) this.said.textContent = this.tip.innerText.replaceAll("\n", " ");
  }

  // Shows the cursor, and what is read off at it; without one, the newest values.
  point() {
    const plot = this.plots[this.active];
    for (const each of this.plots) each.tell(this.cursor === null ? each.column.time.length - 1 : each.nearest(this.cursor));
    const told = this.cursor === null || !plot ? {} : plot.point(plot.nearest(this.cursor));
    this.hair.hidden = this.tip.hidden = told.at === undefined;
    if (this.hair.hidden) return;
    const x = this.xOf(told.at);
    this.hair.style.left = `${x}px`;
    const lines = plot.isScore ? [["score", `${told.value}`], ["limit", "1"]]
      : [["value", `${told.value} ${plot.unit ?? ""}`], ["expected", told.expected], ["band", told.band], ["score", told.score]];
    this.tip.replaceChildren(el("strong", {}, `${told.isOdd ? "◆ " : ""}${plot.name}`), el("span", {}, time(new Date(told.at).toISOString())),
      el("dl", {}, lines.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
    const width = this.tip.offsetWidth, isFar = x + APART + width > this.plotting.clientWidth;
    this.tip.style.left = `${Math.max(isFar ? x - width - APART : x + APART, 0)}px`;
    this.tip.style.top = `${plot.place.offsetTop + 24}px`;
  }
}
