// The pages by the address, and logging in.

import { ask, Problem, send } from "./api.js";
import { el, field, notice } from "./dom.js";
import { alarms } from "./alarms.js";
import { bundles } from "./bundles.js";
import { calmly } from "./calm.js";
import { overview } from "./overview.js";
import { service } from "./service.js";
import { stream } from "./stream.js";

const AGAIN_MS = 3000;
const PAGES = [[/^#\/alarms$/, alarms], [/^#\/bundles$/, bundles], [/^#\/service$/, service],
  [/^#\/stream\/(\d+)$/, stream], [/^#\/?$/, overview]];
const main = document.getElementById("main");
const counted = calmly(() => count().catch(() => {}));
let leave = null;
let visit = 0;

async function show() {
  const mine = ++visit;
  if (leave) leave();
  leave = null;
  const hash = location.hash.startsWith("#/") ? location.hash : "#/";
  const [pattern, page] = PAGES.find(([each]) => each.test(hash)) ?? PAGES.at(-1);
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.hash === hash || (link.hash === "#/" && page === stream);
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const place = el("div");
  main.replaceChildren(place);
  try {
    const left = await page(place, ...(hash.match(pattern) ?? []).slice(1));
    if (mine === visit) leave = left;
    else if (left) left();
  } catch (error) {
    if (mine === visit && error.status !== 401) {
      place.replaceChildren(el("h1", {}, "This page cannot be shown"), el("p", {}, said(error)),
        el("p", {}, el("a", { href: "#/" }, "To the streams")));
      if (error.mayPass) setTimeout(() => { if (mine === visit) show(); }, AGAIN_MS);
    }
    if (!(error instanceof Problem)) throw error;
  }
}

function said(error) {
  return error.mayPass ? `${error.message} Trying again…` : error.message;
}

// How many alarms wait for somebody, beside the name of their page.
async function count() {
  const told = await ask("/v1/alarms", { state: "open", limit: 1 });
  const place = document.getElementById("waiting");
  place.hidden = told.total === 0;
  place.textContent = told.total;
  document.title = told.total ? `(${told.total}) Foresense` : "Foresense";
}

function login() {
  if (leave) leave();
  leave = null;
  visit += 1;
  const user = el("input", { name: "user", autocomplete: "username", required: true });
  const password = el("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const form = el("form", { class: "login card" }, el("h1", {}, "Log in"), field("User", user), field("Password", password),
    el("button", { class: "first" }, "Log in"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await send("POST", "/v1/session", { user: user.value, password: password.value });
      await start();
    } catch (error) {
      notice(error.message);
      if (!main.contains(form)) main.replaceChildren(form);
      password.select();
    }
  });
  if (!main.querySelector("form.login")) {
    main.replaceChildren(form);
    user.focus();
  }
}

async function start() {
  const session = await ask("/v1/session");
  const out = document.getElementById("logout");
  out.hidden = !(session.login && session.user);
  document.body.dataset.role = session.role ?? "";
  if (session.user === null) login();
  else await Promise.all([show(), counted()]);
}

// Begins, however long the service takes to be there.
async function begin() {
  try {
    await start();
  } catch (error) {
    main.replaceChildren(el("p", {}, said(error)));
    if (error.mayPass) setTimeout(begin, AGAIN_MS);
  }
}

document.addEventListener("login-needed", login);
document.addEventListener("alarms-changed", counted);
document.getElementById("logout").addEventListener("click", async () => {
  await send("DELETE", "/v1/session");
  await start();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", show);
begin();
