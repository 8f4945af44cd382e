// The inbox of alarms: open, acknowledged, closed, each grouped by incident; and the incidents.

import { ask, listen } from "./api.js";
import { card } from "./alarm.js";
import { calmly } from "./calm.js";
import { button, el } from "./dom.js";
import { time } from "./words.js";

const TABS = { open: "Open", acknowledged: "Acknowledged", closed: "Closed", incidents: "Incidents" };
const NONE = { open: "No alarm is open: each one was acknowledged or is over.", acknowledged: "No alarm is acknowledged and still open.",
  closed: "No alarm has closed yet.", incidents: "No incident yet. An incident is many streams of a site in alarm at once." };
const MOST = { alarms: 50, incidents: 20 }, LIMIT = 1000;

export async function alarms(place) {
  let shown = "open", pages = 1, asked = 0;
  const list = el("div", { "aria-live": "polite" });
  const tabs = el("div", { class: "tabs", role: "group", "aria-label": "Which alarms" });
  const more = button("Show more", () => { pages += 1; load(); }, { hidden: true });
  place.append(el("h1", {}, "Alarms"), tabs, list, more);
  const count = (name) => ask(name === "incidents" ? "/v1/incidents" : "/v1/alarms", { state: name === "incidents" ? null : name, limit: 1 });

  async function load() {
    const mine = ++asked;
    const [found, ...counts] = await Promise.all([shown === "incidents" ? incidents() : grouped(), ...Object.keys(TABS).map(count)]);
    if (mine !== asked) return;
    const focused = tabs.contains(document.activeElement);
    tabs.replaceChildren(...Object.entries(TABS).map(([name, text], at) => button([`${text} `, el("b", {}, counts[at].total)],
      () => { shown = name; pages = 1; load(); }, { "aria-pressed": String(name === shown) })));
    if (focused) tabs.querySelector("[aria-pressed=true]").focus();
    list.replaceChildren(...(found.cards.length ? found.cards : [el("p", { class: "empty" }, NONE[shown])]));
    more.hidden = found.count >= Math.min(found.total, LIMIT);
  }
  const cardOf = (alarm) => card(alarm, load, { withParts: shown === "open" });
  async function grouped() {
    const told = await ask("/v1/alarms", { state: shown, limit: Math.min(pages * MOST.alarms, LIMIT) });
    const groups = Map.groupBy(told.alarms, (alarm) => alarm.incident ?? alarm.id);
    return { total: told.total, count: told.alarms.length, cards: [...groups.values()].map((members) => members[0].incident === null ? cardOf(members[0])
      : el("section", { class: "incident" }, el("h2", {}, `Incident: ${members.length} ${members.length === 1 ? "alarm" : "alarms"} at once`), members.map(cardOf))) };
  }
  async function incidents() {
    const told = await ask("/v1/incidents", { limit: Math.min(pages * MOST.incidents, LIMIT) });
    const whole = await Promise.all(told.incidents.map((each) => ask(`/v1/incidents/${each.id}`)));
    return { total: told.total, count: whole.length, cards: whole.map((each) => el("section", { class: "incident" },
      el("h2", {}, `${each.site}: ${each.alarms} alarms of ${each.streams} streams`),
      el("p", { class: "faint" }, `${time(each.start)} – ${each.end ? time(each.end) : "still going on"}`), each.members.map(cardOf))) };
  }
  const quiet = calmly(() => load().catch(() => {}));
  const close = listen({ on: { alarm: quiet }, again: quiet });
  try {
    await load();
  } catch (error) {
    close();
    throw error;
  }
  return close;
}
