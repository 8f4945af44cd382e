// One alarm as a panel: its sentence, each channel's part in it, and what an operator may say of it.

import { send } from "./api.js";
import { button, el, notice } from "./dom.js";
import { number, time } from "./words.js";

export function panel(alarm, changed, { withStream = true } = {}) {
  const act = (work) => async () => {
    try {
      changed(await work());
    } catch (error) {
      notice(error.message);
    }
  };
  const label = (isFalse) => act(() => send("PUT", `/v1/alarms/${alarm.id}/label`, { false: isFalse }));
  const pressed = (isFalse) => ({ "aria-pressed": String(alarm.label !== null && alarm.label.false === isFalse) });
  const facts = [`score ${number(alarm.peak.score)} at its peak`, alarm.severity,
    alarm.end ? `until ${time(alarm.end)}` : alarm.state, alarm.suppressed, alarm.incident ? "part of an incident" : null,
    alarm.acknowledged ? `acknowledged by ${alarm.acknowledged.by}` : null,
    alarm.label ? `${alarm.label.false ? "false" : "true"} alarm, says ${alarm.label.by}` : null];
  return el("article", { class: "panel", "data-alarm": alarm.id },
    el("strong", { class: alarm.end ? "" : "over" }, `${alarm.end ? "▽" : "▲"} ${time(alarm.start)} `),
    withStream ? el("a", { href: `#/stream/${alarm.stream}` }, alarm.name) : null,
    el("div", {}, alarm.explanation),
    el("div", { class: "faint" }, facts.filter((each) => each).join(" · ")),
    parts(alarm),
    el("div", { class: "actions" },
      alarm.state === "open" ? button("Acknowledge", act(() => send("POST", `/v1/alarms/${alarm.id}/acknowledge`, {})), { class: "first" }) : null,
      button("True alarm", label(false), pressed(false)), button("False alarm", label(true), pressed(true))));
}

function parts(alarm) {
  const channels = (alarm.evidence.channels ?? []).filter((each) => each.share !== null);
  if (channels.length < 2) return null;
  return el("dl", {}, channels.map((each) => {
    const bar = el("span", { class: "bar" });
    bar.style.width = `${Math.round(100 * each.share)}%`;
    return [el("dt", {}, `${each.channel}: ${Math.round(100 * each.share)} %`), el("dd", {}, bar)];
  }));
}
