// The chart of one channel: value within the expected band, alarms shaded, and the score beneath, on two canvases.

const LEFT = 56, RIGHT = 10, TOP = 8, BOTTOM = 22;
const STEPS = [1e3, 5e3, 15e3, 6e4, 3e5, 9e5, 36e5, 108e5, 216e5, 432e5, 864e5, 6048e5, 2592e6];

export class Chart {
  constructor(value, score, onZoom) {
    this.canvases = [value, score];
    this.onZoom = onZoom;
    this.drag = null;
    value.addEventListener("pointerdown", (event) => { this.drag = [event.offsetX, event.offsetX]; value.setPointerCapture(event.pointerId); });
    value.addEventListener("pointermove", (event) => { if (this.drag) { this.drag[1] = event.offsetX; this.draw(); } });
    value.addEventListener("pointerup", () => this.released());
    value.addEventListener("keydown", (event) => this.key(event));
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(value);
  }

  show(channel, period, alarms, bucketMs) {
    Object.assign(this, { channel, period, alarms, bucketMs });
    this.draw();
  }

  close() { this.watch.disconnect(); }

  released() {
    const [from, to] = this.drag.toSorted((one, other) => one - other);
    this.drag = null;
    if (to - from > 8) this.onZoom(this.timeAt(from), this.timeAt(to));
    else this.draw();
  }

  key(event) {
    const [from, to] = this.period, width = to - from;
    const moves = { "+": [width / 4, -width / 4], "-": [-width / 2, width / 2], ArrowLeft: [-width / 4, -width / 4], ArrowRight: [width / 4, width / 4] };
    if (!moves[event.key]) return;
    event.preventDefault();
    this.onZoom(from + moves[event.key][0], to + moves[event.key][1]);
  }

  timeAt(x) {
    const [from, to] = this.period, width = this.canvases[0].clientWidth - LEFT - RIGHT;
    return from + Math.min(Math.max((x - LEFT) / width, 0), 1) * (to - from);
  }

  draw() {
    if (!this.channel) return;
    const { time, min, max, mean, expected, lower, upper, score } = this.channel;
    const known = [...min, ...max, ...lower, ...upper].filter((each) => each !== null);
    this.plot(this.canvases[0], range(known), (pen) => {
      pen.area(time, lower, upper, "--band");
      pen.line(time, expected, "--faint", [4, 3]);
      if (min.some((each, at) => each !== max[at])) pen.area(time, min, max, "--blue", 0.35);
      pen.line(time, mean, "--blue");
      pen.spikes(time, max, score);
    });
    this.plot(this.canvases[1], [0, Math.max(1.5, ...score.filter((each) => each !== null)) * 1.05], (pen) => {
      pen.level(1, "--alarm");
      pen.line(time, score, "--blue");
    });
  }

  plot(canvas, bounds, draw) {
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const pen = new Pen(context, width, height, this.period, bounds, this.bucketMs);
    for (const alarm of this.alarms) pen.shade(Date.parse(alarm.start), alarm.end ? Date.parse(alarm.end) : this.period[1]);
    pen.axes();
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, width - LEFT - RIGHT, height - BOTTOM);
    context.clip();
    draw(pen);
    context.restore();
    if (this.drag && canvas === this.canvases[0]) pen.select(...this.drag);
  }
}

class Pen {
  constructor(context, width, height, [from, to], [low, high], bucketMs) {
    Object.assign(this, { context, width, height, from, to, low, high, bucketMs });
    this.style = getComputedStyle(document.documentElement);
    this.x = (at) => LEFT + (at - from) / (to - from) * (width - LEFT - RIGHT);
    this.y = (value) => TOP + (high - value) / (high - low) * (height - TOP - BOTTOM);
  }

  colour(name) { return this.style.getPropertyValue(name); }

  line(time, values, colour, dash = []) {
    const { context } = this;
    context.strokeStyle = this.colour(colour);
    context.lineWidth = 1.5;
    context.setLineDash(dash);
    context.beginPath();
    let last = null;
    time.forEach((at, index) => {
      if (values[index] === null) { last = null; return; }
      if (last !== null && at - last <= 3 * this.bucketMs) context.lineTo(this.x(at), this.y(values[index]));
      else context.moveTo(this.x(at), this.y(values[index]));
      last = at;
    });
    context.stroke();
    context.setLineDash([]);
  }

  area(time, lower, upper, colour, alpha = 0.5) {
    const { context } = this, width = Math.max(this.x(this.from + this.bucketMs) - LEFT, 1);
    context.fillStyle = this.colour(colour);
    context.globalAlpha = alpha;
    time.forEach((at, index) => {
      if (lower[index] === null || upper[index] === null) return;
      const top = this.y(upper[index]);
      context.fillRect(this.x(at) - width / 2, top, width, Math.max(this.y(lower[index]) - top, 1));
    });
    context.globalAlpha = 1;
  }

  spikes(time, values, score) {
    const { context } = this;
    context.fillStyle = this.colour("--alarm");
    time.forEach((at, index) => {
      if (values[index] === null || !(score[index] >= 1)) return;
      context.beginPath();
      context.arc(this.x(at), this.y(values[index]), 3, 0, 7);
      context.fill();
    });
  }

  level(value, colour) {
    const { context } = this;
    context.strokeStyle = this.colour(colour);
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(LEFT, this.y(value));
    context.lineTo(this.width - RIGHT, this.y(value));
    context.stroke();
    context.setLineDash([]);
  }

  shade(from, to) {
    const begin = Math.max(this.x(from), LEFT), end = Math.min(Math.max(this.x(to), begin + 3), this.width - RIGHT);
    if (end < LEFT || begin > this.width - RIGHT) return;
    this.context.fillStyle = this.colour("--alarm-back");
    this.context.fillRect(begin, 0, end - begin, this.height - BOTTOM);
  }

  select(one, other) {
    this.context.fillStyle = this.colour("--blue");
    this.context.globalAlpha = 0.2;
    this.context.fillRect(Math.min(one, other), 0, Math.abs(other - one), this.height - BOTTOM);
    this.context.globalAlpha = 1;
  }

  axes() {
    const { context } = this;
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = this.colour("--faint");
    context.textAlign = "right";
    for (let part = 0; part <= 2; part += 1) {
      const value = this.low + (this.high - this.low) * part / 2;
      context.fillText(String(Number(value.toPrecision(3))), LEFT - 6, Math.min(this.y(value) + 4, this.height - BOTTOM));
    }
    context.textAlign = "center";
    const step = STEPS.find((each) => (this.to - this.from) / each <= 6) ?? STEPS.at(-1);
    const offset = new Date(this.from).getTimezoneOffset() * 6e4;
    for (let at = Math.ceil((this.from - offset) / step) * step + offset; at <= this.to; at += step) {
      const format = step < 864e5 ? { hour: "2-digit", minute: "2-digit", second: step < 6e4 ? "2-digit" : undefined } : { day: "numeric", month: "short" };
      context.fillText(new Intl.DateTimeFormat(undefined, format).format(at), this.x(at), this.height - 6);
    }
  }
}

function range(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  if (!Number.isFinite(low)) return [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}
