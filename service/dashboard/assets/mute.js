// Muting a stream, and taking it back.

import { send } from "./api.js";
import { button, choice, el, field, notice } from "./dom.js";
import { literal, time } from "./words.js";

const DURATIONS = { "30min": "30 minutes", "2h": "2 hours", "8h": "8 hours", "1d": "a day", "7d": "a week" };

export function mute(monitor, name, duration, reason = "") {
  return send("POST", "/v1/mutes", { monitor, stream: literal(name), duration, reason });
}

export function mutes(place, stream, changed) {
  const act = async (work) => {
    try {
      await work();
      await changed();
    } catch (error) {
      notice(error.message);
    }
  };
  const duration = choice(DURATIONS, "2h"), reason = el("input", { maxlength: 200, placeholder: "such as cleaning" });
  const form = el("form", { class: "tools changes" }, field("For", duration), field("Reason", reason), el("button", {}, "Mute"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(() => mute(stream.monitor, stream.name, duration.value, reason.value));
  });
  const focused = place.contains(document.activeElement);
  place.replaceChildren(el("h2", {}, "Mute"), stream.mutes.length ? el("div", {}, stream.mutes.map((mute) => el("p", {},
    `Muted until ${time(mute.until)} by ${mute.by}${mute.reason ? `: ${mute.reason}` : ""} `,
    button("Unmute", () => act(() => send("DELETE", `/v1/mutes/${mute.id}`)), { class: "changes" })))) : el("p", { class: "faint" }, "Not muted."), stream.mutes.length ? "" : form);
  if (focused) place.querySelector("button")?.focus();
}
