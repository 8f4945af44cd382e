// One alarm as a card: its sentence, each channel's part in it, and what an operator may say of it.

import { send } from "./api.js";
import { button, el, notice } from "./dom.js";
import { mute } from "./mute.js";
import { among, lasted, number, severity, time } from "./words.js";

const MUTED_FOR = "2h", SIGNS = { up: "↑", down: "↓" };

// `changed` is called when something was said of it.
export function card(alarm, changed, { withStream = true, withParts = true } = {}) {
  const act = (work) => async () => {
    try {
      await work();
      await changed();
    } catch (error) {
      notice(error.message);
    }
  };
  const label = (isFalse) => act(() => send("PUT", `/v1/alarms/${alarm.id}/label`, { false: isFalse }));
  const pressed = (isFalse) => ({ "aria-pressed": String(alarm.label !== null && alarm.label.false === isFalse) });
  const muting = act(async () => {
    await mute(alarm.monitor, alarm.name, MUTED_FOR, "alarm");
    notice(`${alarm.name} is muted for 2 hours`);
  });
  const isOver = alarm.end !== null;
  return el("article", { class: `card alarm ${isOver ? "closed" : alarm.severity}`, "data-alarm": alarm.id },
    el("header", {}, el("span", { class: `badge ${isOver ? "" : alarm.severity}` }, severity(alarm.severity)),
      withStream ? el("a", { class: "name", href: `#/stream/${alarm.stream}` }, alarm.name) : null,
      el("span", { class: "faint" }, `${time(alarm.start)} · ${isOver ? "lasted" : "for"} ${lasted(alarm.start, alarm.end)}`),
      el("span", { class: "state" }, alarm.state)),
    el("p", { class: "sentence" }, alarm.explanation),
    withParts ? parts(alarm) : null,
    el("p", { class: "faint" }, remarks(alarm).join(" · ")),
    el("div", { class: "actions" },
      alarm.state === "open" ? button("Acknowledge", act(() => send("POST", `/v1/alarms/${alarm.id}/acknowledge`, {})), { class: "first" }) : null,
      button("True alarm", label(false), pressed(false)), button("False alarm", label(true), pressed(true)),
      isOver ? null : button("Mute 2 h", muting)));
}

function remarks(alarm) {
  return [`peak score ${number(Number(alarm.peak.score.toFixed(1)))} at ${time(alarm.peak.time)}`, `bundle ${alarm.bundle}`, alarm.suppressed,
    alarm.incident ? "part of an incident" : null, alarm.acknowledged ? `acknowledged by ${alarm.acknowledged.by}` : null,
    alarm.label ? `${alarm.label.false ? "false" : "true"} alarm, says ${alarm.label.by}` : null].filter((each) => each);
}

// What each channel has to do with it, the most first.
function parts(alarm) {
  const known = shares(alarm);
  if (!known.length) return null;
  return el("ul", { class: "parts", "aria-label": "Contributions by channel" }, known.map((each) => {
    const bar = el("span", { class: "bar" });
    const short = among(each.actual, each.expected, each.lower, each.upper);
    bar.style.width = `${Math.round(100 * each.share)}%`;
    const band = typeof each.lower === "number" ? ` (${short(each.lower)} to ${short(each.upper)})` : "";
    return el("li", {}, el("span", {}, each.channel), el("span", { class: "track" }, bar), el("b", {}, `${Math.round(100 * each.share)} %`),
      el("span", { class: "faint" }, `${SIGNS[each.direction] ?? ""} ${short(each.actual)} ${each.unit ?? ""}, expected ${short(each.expected)}${band}`));
  }));
}

export function shares(alarm) {
  return (alarm.evidence.channels ?? []).filter((each) => typeof each.share === "number").toSorted((one, other) => other.share - one.share);
}
