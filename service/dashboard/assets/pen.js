// The pen of one plot: it draws times and values on a canvas, in the colours of the page.

export const LEFT = 58, RIGHT = 14;
const TOP = 8, SIGN = 4.5;

export class Pen {
  // `period` in ms, `bounds` least and greatest value, `bottom` room for the time axis in px, `bend` what is drawn of a value.
  constructor(canvas, period, bounds, { bucketMs, bottom = 6, bend = (value) => value }) {
    const ratio = devicePixelRatio || 1;
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    canvas.width = this.width * ratio;
    canvas.height = this.height * ratio;
    this.context = canvas.getContext("2d");
    this.context.scale(ratio, ratio);
    this.style = getComputedStyle(canvas);
    this.bottom = this.height - bottom;
    this.longest = 3 * bucketMs;  // between points that are joined
    const [from, to] = period, [low, high] = bounds.map(bend);
    this.x = (at) => LEFT + (at - from) / (to - from) * (this.width - LEFT - RIGHT);
    this.y = (value) => TOP + (high - bend(value)) / (high - low) * (this.bottom - TOP);
  }

  colour(name) { return this.style.getPropertyValue(name); }

  // Draws only where the values are.
  within(draw) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(LEFT, 0, this.width - LEFT - RIGHT + SIGN, this.bottom);
    this.context.clip();
    draw();
    this.context.restore();
  }

  grid(levels, moments, withTimes) {
    const { context } = this;
    context.font = "12px system-ui, sans-serif";
    context.lineWidth = 1;
    context.strokeStyle = this.colour("--grid");
    context.fillStyle = this.colour("--faint");
    context.beginPath();
    context.textAlign = "right";
    for (const { at, text } of levels) {
      const y = Math.round(this.y(at)) + 0.5;
      context.moveTo(LEFT, y);
      context.lineTo(this.width - RIGHT, y);
      context.fillText(text, LEFT - 8, y + 4);
    }
    context.textAlign = "center";
    for (const { at, text } of moments) {
      const x = Math.round(this.x(at)) + 0.5;
      context.moveTo(x, 3);
      context.lineTo(x, this.bottom);
      if (withTimes) context.fillText(text, Math.min(x, this.width - 20), this.height - 5);
    }
    context.stroke();
  }

  // An alarm: shaded, with a line and a sign where it begins.
  shade(from, to) {
    const { context } = this, right = this.width - RIGHT;
    const begin = Math.max(this.x(from), LEFT), end = Math.min(Math.max(this.x(to), begin + 3), right);
    if (end <= LEFT || begin >= right) return;
    context.fillStyle = this.colour("--alarm-shade");
    context.fillRect(begin, 0, end - begin, this.bottom);
    context.fillStyle = this.colour("--alarm");
    context.fillRect(begin, 0, end - begin, 2);
    if (this.x(from) < LEFT) return;
    context.fillRect(begin, 0, 1, this.bottom);
    context.beginPath();
    context.moveTo(begin - SIGN, 0);
    context.lineTo(begin + SIGN, 0);
    context.lineTo(begin, 2 * SIGN);
    context.fill();
  }

  line(time, values, colour, { dash = [], width = 1.5 } = {}) {
    const { context } = this;
    context.strokeStyle = this.colour(colour);
    context.lineWidth = width;
    context.lineJoin = "round";
    context.setLineDash(dash);
    context.beginPath();
    for (const run of this.runs(time, values)) {
      if (run.length === 1) context.moveTo(this.x(time[run[0]]) - 1, this.y(values[run[0]]));
      for (const at of run) context.lineTo(this.x(time[at]), this.y(values[at]));
      context.moveTo(0, 0);
    }
    context.stroke();
    context.setLineDash([]);
  }

  // A polygon between two lines, broken where either is not known.
  area(time, lower, upper, colour, alpha = 1) {
    const { context } = this;
    context.fillStyle = this.colour(colour);
    context.globalAlpha = alpha;
    for (const run of this.runs(time, lower, upper)) {
      context.beginPath();
      for (const at of run) context.lineTo(this.x(time[at]), this.y(upper[at]));
      for (const at of run.toReversed()) context.lineTo(this.x(time[at]), this.y(lower[at]));
      context.fill();
    }
    context.globalAlpha = 1;
  }

  // A sign that is told by its form as well: a diamond with an edge.
  sign(at, value) {
    const { context } = this, x = this.x(at), y = this.y(value);
    context.fillStyle = this.colour("--alarm");
    context.strokeStyle = this.colour("--card");
    context.lineWidth = 1;
    context.beginPath();
    for (const [right, down] of [[0, -SIGN], [SIGN, 0], [0, SIGN], [-SIGN, 0]]) context.lineTo(x + right, y + down);
    context.closePath();
    context.fill();
    context.stroke();
  }

  level(value, text) {
    const { context } = this, y = Math.round(this.y(value)) + 0.5;
    context.strokeStyle = context.fillStyle = this.colour("--alarm");
    context.lineWidth = 1.5;
    context.setLineDash([6, 4]);
    context.beginPath();
    context.moveTo(LEFT, y);
    context.lineTo(this.width - RIGHT, y);
    context.stroke();
    context.setLineDash([]);
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "left";
    context.fillText(text, LEFT + 6, y - 5);
  }

  // The places of points that are to be joined: lists of indices.
  runs(time, ...columns) {
    const found = [];
    let last = null;
    time.forEach((at, index) => {
      if (columns.some((values) => values[index] === null)) last = null;
      else {
        if (last === null || at - last > this.longest) found.push([]);
        found.at(-1).push(index);
        last = at;
      }
    });
    return found;
  }
}
