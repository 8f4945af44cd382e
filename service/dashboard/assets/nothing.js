// What is said where there is no stream, and what to do about it.

import { ask } from "./api.js";
import { el } from "./dom.js";

export async function nothing(isSearched) {
  if (isSearched) return el("p", { class: "empty" }, "No stream is like that. Its name may be another; search for a part of it.");
  const { watched } = await ask("/v1/status");
  return el("section", { class: "card empty" }, el("h2", {}, "No stream yet"),
    el("p", {}, "A stream appears here with its first reading. The service listens to:"),
    el("ul", {}, watched.map((each) => el("li", {}, el("code", {}, each.topic), ` at ${each.broker}, for the monitor ${each.monitor}`))),
    el("p", {}, "To see what a broker has, and what these topics should be:"),
    el("pre", {}, [...new Set(watched.map((each) => `foresense sniff --broker ${each.broker}`))].join("\n")),
    el("p", {}, "What came but could not be read is on the page ", el("a", { href: "#/service" }, "Service"), "."));
}
