// The inbox of alarms: open, acknowledged, closed, and by incident.

import { ask, listen } from "./api.js";
import { panel } from "./alarm.js";
import { button, el } from "./dom.js";
import { time } from "./words.js";

const TABS = { open: "Open", acknowledged: "Acknowledged", closed: "Closed", incidents: "Incidents" };
const MOST = 50;

export async function alarms(place) {
  let shown = "open", most = MOST, asked = 0;
  const list = el("div", { "aria-live": "polite" });
  const tabs = el("div", { class: "tools", role: "group", "aria-label": "Which alarms" });
  const more = button("Show more", () => { most += MOST; load(); });
  place.append(el("h1", {}, "Alarms"), tabs, list, more);

  async function load() {
    const mine = ++asked;
    const told = shown === "incidents" ? await incidents() : await ask("/v1/alarms", { state: shown, limit: Math.min(most, 1000) });
    if (mine !== asked) return;
    tabs.replaceChildren(...Object.entries(TABS).map(([name, text]) => button(
      name === shown ? `${text} (${told.total})` : text, () => { shown = name; most = MOST; load(); }, { "aria-pressed": String(name === shown) })));
    const panels = told.panels ?? told.alarms.map((alarm) => panel(alarm, load));
    list.replaceChildren(...(panels.length ? panels : [el("p", { class: "faint" }, `None ${shown === "incidents" ? "of a site" : "is " + shown}.`)]));
    more.hidden = told.total <= most;
  }
  async function incidents() {
    const told = await ask("/v1/incidents", { limit: 20 });
    const whole = await Promise.all(told.incidents.map((each) => ask(`/v1/incidents/${each.id}`)));
    return { total: told.total, panels: whole.map((each) => el("section", { class: "panel" },
      el("h2", {}, `${each.site}: ${each.alarms} alarms of ${each.streams} streams`),
      el("p", { class: "faint" }, `${time(each.start)} – ${each.end ? time(each.end) : "still going on"}`),
      el("details", {}, el("summary", {}, "Alarms"), each.members.map((alarm) => panel(alarm, load))))) };
  }
  const quiet = () => load().catch(() => {});
  const close = listen({ on: { alarm: quiet }, again: quiet });
  try {
    await load();
  } catch (error) {
    close();
    throw error;
  }
  return close;
}
