// A sparkline of scores: the dashed line is the limit, a score of 1; what is above it is filled, and the newest is a dot.

import { svg } from "./dom.js";

const WIDTH = 120, HEIGHT = 30, MOST = 32, EDGE = 4, TOP = 4;

export function sparkline(scores) {
  const top = Math.sqrt(Math.max(TOP, ...scores.filter((score) => score !== null)));
  const y = (score) => HEIGHT - EDGE - Math.sqrt(Math.max(score, 0)) / top * (HEIGHT - 2 * EDGE);
  const x = (at) => EDGE + (MOST - scores.length + at) * (WIDTH - 2 * EDGE) / (MOST - 1);
  const points = scores.map((score, at) => score === null ? null : [x(at), score]).filter((point) => point !== null);
  const path = (each) => each.map(([across, score]) => `${across.toFixed(1)},${y(score).toFixed(1)}`).join(" ");
  const made = svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    svg("line", { x1: 0, x2: WIDTH, y1: y(1), y2: y(1) }));
  if (!points.length) return made;
  const [last, newest] = points.at(-1);
  const over = points.map(([across, score]) => [across, Math.max(score, 1)]);
  made.append(svg("polygon", { points: path([[points[0][0], 1], ...over, [last, 1]]) }), svg("polyline", { points: path(points) }),
    svg("circle", { class: newest >= 1 ? "over" : "", cx: last, cy: y(newest).toFixed(1), r: 2.5 }));
  return made;
}
