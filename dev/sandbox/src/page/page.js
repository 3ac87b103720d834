"use strict";

const $ = (id) => document.getElementById(id);
const SHOWN = 50;

/** An element: `make("td", {class: "x"}, "text", child…)`; functions become listeners. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const tag = (text, kind = "") => make("span", { class: `tag ${kind}` }, text);
const muted = (text) => make("div", { class: "muted break" }, text);
const when = (time) =>
  new Date(time).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const clock = (time) => new Date(time).toLocaleTimeString("en-GB");
const local = (date) => new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
const last = (uri) => uri.split("/").pop();

function table(caption, columns, rows, empty) {
  if (rows.length === 0) return make("p", { class: "muted" }, empty);
  const head = columns.map((column) => make("th", { scope: "col" }, column));
  return make("table", { "aria-label": caption }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
}

async function call(method, path, body) {
  const response = await fetch(`/_sandbox${path}`, { method, body: body && JSON.stringify(body) });
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw new Error(answer.error || `status ${response.status}`);
  return answer;
}

/** Does something, says how it went, and shows what it changed. */
async function act(done, method, path, body) {
  try {
    await call(method, path, body);
    $("status").textContent = done;
  } catch (error) {
    $("status").textContent = `It did not work: ${error.message}`;
  }
  await refresh();
}

let moving = null;
function askMove(invitee, event) {
  moving = invitee;
  $("move-who").textContent = `${invitee.name}, now ${when(event.start_time)}`;
  $("move-start").value = local(new Date(Date.parse(event.start_time) + 24 * 3600 * 1000));
  $("move").returnValue = "";
  $("move").showModal();
}

function actions(event, invitee) {
  const path = `/bookings/${last(invitee.uri)}`;
  const button = (text, click) =>
    make("button", { type: "button", "aria-label": `${text}: ${invitee.name}`, click }, text);
  const buttons = [];
  if (invitee.status === "active") {
    buttons.push(button("Reschedule", () => askMove(invitee, event)));
    buttons.push(button("Cancel", () => act("Canceled.", "POST", `${path}/cancel`, { reason: "By click" })));
  }
  if (invitee.no_show) buttons.push(button("Undo no-show", () => act("Mark removed.", "DELETE", `${path}/no-show`)));
  else if (invitee.status === "active")
    buttons.push(button("No-show", () => act("Marked as a no-show.", "POST", `${path}/no-show`)));
  return buttons;
}

function bookingRow(event, invitee) {
  const state = invitee.rescheduled
    ? tag("rescheduled", "wait")
    : invitee.status === "active"
      ? tag("active", "good")
      : tag("canceled", "bad");
  const cell = make("td", {}, state);
  if (invitee.no_show) cell.append(" ", tag("no-show", "wait"));
  const counter = event.invitees_counter;
  const seats = counter.limit > 1 ? `${counter.active} of ${counter.limit} seats` : null;
  const guests = event.event_guests.length ? `guests: ${event.event_guests.map((g) => g.email).join(", ")}` : null;
  return make("tr", {},
    make("td", { class: "when" }, when(event.start_time)),
    make("td", {}, invitee.name, make("div", { class: "muted when" }, invitee.email)),
    make("td", {}, event.name ?? "(no name)", ...[seats, guests].filter(Boolean).map(muted)),
    cell,
    make("td", { class: "actions" }, ...actions(event, invitee)));
}

const KINDS = { delivered: "good", failed: "bad", abandoned: "bad", dropped: "wait", retrying: "wait", waiting: "wait" };

function answer(attempt) {
  const result = attempt.status === null ? attempt.error : `${attempt.status}`;
  return `${clock(attempt.at)} → ${result} (${attempt.durationMs} ms)\n${attempt.answer}`.trim();
}

function deliveryRow(delivery) {
  const attempt = delivery.attempts.at(-1);
  const status = attempt ? (attempt.status === null ? "no answer" : `HTTP ${attempt.status}`) : "not sent";
  const good = attempt && attempt.status >= 200 && attempt.status < 300;
  const tries = delivery.attempts.length === 1 ? "1 attempt" : `${delivery.attempts.length} attempts`;
  const more = make("details", {}, make("summary", {}, "Answers and body"),
    make("pre", {}, delivery.attempts.map(answer).join("\n\n") || "Never sent."),
    make("pre", {}, JSON.stringify(JSON.parse(delivery.body), null, 2)));
  if (open.has(delivery.number)) more.open = true;
  more.addEventListener("toggle", () => (more.open ? open.add(delivery.number) : open.delete(delivery.number)));
  return make("tr", {},
    make("td", { class: "when" }, clock(delivery.createdAt)),
    make("td", {}, make("code", {}, delivery.event), delivery.repeat ? " (repeated)" : null,
      muted(JSON.parse(delivery.body).payload.name)),
    make("td", {}, tag(delivery.state, KINDS[delivery.state]), muted(tries)),
    make("td", { class: "break" }, tag(status, good ? "good" : attempt ? "bad" : ""),
      attempt && attempt.answer ? muted(attempt.answer.slice(0, 160)) : null, more));
}

function subscriptionRow(subscription) {
  const active = subscription.state === "active";
  const cell = make("td", {}, tag(subscription.state, active ? "good" : "bad"));
  if (subscription.retry_started_at) cell.append(muted(`last retries ${when(subscription.retry_started_at)}`));
  const off = make("button", {
    type: "button",
    "aria-label": `Switch off ${subscription.callback_url}`,
    click: () => act("Switched off.", "POST", `/subscriptions/${subscription.id}/disable`),
  }, "Switch off");
  return make("tr", {},
    make("td", { class: "break" }, subscription.callback_url, muted(subscription.events.join(", "))),
    make("td", {}, subscription.scope),
    cell,
    make("td", { class: "actions" }, ...(active ? [off] : [])));
}

const open = new Set();
const seen = {};
/** Draws only what changed, so that focus and open details stay. */
function draw(id, data, build) {
  const text = JSON.stringify(data);
  if (seen[id] === text) return;
  seen[id] = text;
  $(id).replaceChildren(build(data));
}

async function refresh() {
  let state, sent;
  try {
    [state, sent] = await Promise.all([call("GET", `/state?limit=${SHOWN}`), call("GET", `/deliveries?limit=${SHOWN}`)]);
  } catch {
    $("status").textContent = "The sandbox does not answer.";
    return;
  }
  draw("eventType", state.eventTypes, (kinds) => {
    const options = document.createDocumentFragment();
    for (const kind of kinds) {
      const group = kind.limit > 1 ? " (group)" : "";
      options.append(make("option", { value: kind.id }, `${kind.name}${group}`));
    }
    return options;
  });
  draw("subscriptions", state.subscriptions, (all) =>
    table("Webhook subscriptions", ["Sent to", "Scope", "State", ""], all.map(subscriptionRow),
      "None yet. An app makes one when it is authorized."));
  draw("bookings", state.events, (events) =>
    table("Bookings", ["Start", "Invitee", "Event", "State", ""],
      events.flatMap((event) => event.invitees.map((invitee) => bookingRow(event, invitee))), "None yet. Book one."));
  draw("deliveries", sent.deliveries, (all) =>
    table("Webhooks", ["Time", "Event", "State", "Answer"], all.map(deliveryRow),
      "None yet. Each change of a booking sends one to every subscription."));
}

$("book").addEventListener("submit", (submit) => {
  submit.preventDefault();
  const form = new FormData(submit.target);
  act(`Booked for ${form.get("name")}.`, "POST", "/bookings", {
    name: form.get("name"),
    email: form.get("email"),
    eventType: form.get("eventType"),
    startTime: new Date(form.get("startTime")).toISOString(),
    guests: form.get("guests").split(",").map((guest) => guest.trim()).filter(Boolean),
  });
});

$("faults").addEventListener("submit", (submit) => {
  submit.preventDefault();
  const share = (id) => Number($(id).value) / 100;
  act("Faults applied.", "PUT", "/faults", {
    drop: share("drop"),
    repeat: share("repeat"),
    delayMs: Number($("delayMs").value),
    reorder: $("reorder").checked,
    staleSignature: $("stale").checked,
    apiErrors: share("limited") > 0 ? { 429: share("limited") } : {},
  });
});

$("move").addEventListener("close", () => {
  if ($("move").returnValue !== "move") return;
  const startTime = new Date($("move-start").value).toISOString();
  act("Rescheduled.", "POST", `/bookings/${last(moving.uri)}/reschedule`, { startTime });
});

const tomorrow = new Date(Date.now() + 24 * 3600 * 1000);
tomorrow.setHours(10, 0, 0, 0);
$("startTime").value = local(tomorrow);
refresh();
setInterval(refresh, 1000);
