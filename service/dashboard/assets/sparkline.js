// A sparkline of scores: the dashed line is the limit, a score of 1.

import { svg } from "./dom.js";

const WIDTH = 100, HEIGHT = 26, MOST = 32;

export function sparkline(scores) {
  const top = Math.max(1.25, ...scores.filter((score) => score !== null));
  const y = (score) => (HEIGHT - 2 - (Math.min(score, top) / top) * (HEIGHT - 4)).toFixed(1);
  const first = MOST - scores.length;
  const points = scores.map((score, at) => score === null ? null : `${((first + at) * WIDTH / (MOST - 1)).toFixed(1)},${y(score)}`);
  return svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    svg("line", { x1: 0, x2: WIDTH, y1: y(1), y2: y(1) }),
    svg("polyline", { points: points.filter((point) => point !== null).join(" ") }));
}
