// The API: requests, what goes wrong with them, and events.

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }

  // Whether it may be over soon: nobody answers, or not yet.
  get mayPass() { return [0, 502, 503, 504].includes(this.status); }
}

export async function ask(path, query = {}, signal = undefined) {
  return request("GET", path + search(query), undefined, signal);
}

export async function send(method, path, content) {
  return request(method, path, content);
}

async function request(method, path, content, signal) {
  const headers = method === "GET" ? {} : { "X-Foresense": "1", "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, body: content === undefined ? undefined : JSON.stringify(content) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The service does not answer.");
  }
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({ detail: `The service does not answer as it should, but with status ${answer.status}.` }));
  if (!answer.ok) {
    if (answer.status === 401) document.dispatchEvent(new Event("login-needed"));
    throw new Problem(answer.status, told.detail);
  }
  return told;
}

function search(query) {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== "" && value !== null && value !== undefined) parts.append(name, value);
  }
  const text = parts.toString();
  return text ? `?${text}` : "";
}

// Listens until `close`; `on` has a function for each kind of event, and `again` is called after a lost connection.
export function listen({ streams = [], on, again }) {
  const kinds = Object.keys(on).filter((kind) => kind !== "verdict");
  const query = new URLSearchParams([["streams", streams.join(",")], ...kinds.map((kind) => ["kinds", kind])]);
  const source = new EventSource(`/v1/events?${query}`);
  const live = document.getElementById("live");
  let lost = false;
  source.onopen = () => {
    live.textContent = "● live";
    live.className = "";
    if (lost && again) again();
    lost = false;
  };
  source.onerror = () => {
    live.textContent = "○ not live: trying again";
    live.className = "over";
    lost = true;
  };
  for (const [kind, act] of Object.entries(on)) source.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  source.addEventListener("alarm", () => document.dispatchEvent(new Event("alarms-changed")));
  return () => source.close();
}
