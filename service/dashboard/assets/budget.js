// The budget of a stream's monitor: what another one would have left of the past, and setting it.

import { ask, send } from "./api.js";
import { button, el, field, notice } from "./dom.js";
import { number, time } from "./words.js";

const TYPED_MS = 300, LISTED = 8;

export function budget(place, stream) {
  const wanted = el("input", { value: stream.budget ?? "", maxlength: 60 });
  const found = el("div", { "aria-live": "polite" });
  let typed, asked = 0;

  async function preview() {
    const mine = ++asked;
    try {
      const told = await ask(`/v1/budgets/${encodeURIComponent(stream.monitor)}/preview`, { budget: wanted.value, stream: stream.id });
      if (mine !== asked) return;
      found.replaceChildren(el("p", {}, `Of ${told.alarms} ${told.alarms === 1 ? "alarm" : "alarms"} of this stream since ${time(told.start)}, ${told.remain} would remain.`),
        el("ul", {}, told.listed.slice(0, LISTED).map((each) => el("li", { class: each.remains ? "" : "faint" },
          `${each.remains ? "▲ remains" : "– gone"}: ${time(each.alarm.start)}, score ${number(Number(each.score.toFixed(2)))}`))));
    } catch (error) {
      if (mine === asked) found.replaceChildren(el("p", { class: "over" }, error.message));
    }
  }
  async function set(text) {
    try {
      const told = await send("PUT", `/v1/budgets/${encodeURIComponent(stream.monitor)}`, { budget: text });
      stream.budget = wanted.value = told.budget;
      notice(`${stream.monitor}: ${told.budget} from now on`);
      await preview();
    } catch (error) {
      notice(error.message);
    }
  }
  wanted.addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(preview, TYPED_MS); });
  const form = el("form", { class: "tools" }, field("False alarms that you accept of each stream", wanted), el("button", { class: "changes" }, "Set"),
    button("As configured", () => set(null), { class: "changes" }));
  form.addEventListener("submit", (event) => { event.preventDefault(); set(wanted.value); });
  place.replaceChildren(el("h2", {}, `Budget of ${stream.monitor}`), form, found);
  preview();
}
