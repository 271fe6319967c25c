"use strict";
// The page is whole without this script; with it, it is live.

const root = document.documentElement;
const live = document.getElementById("live");
const token = document.querySelector("meta[name=sandbox-token]").content;
let source = null;
root.classList.add("js");

const states = { on: "Live", lost: "Not connected: is the sandbox running?", off: "Not live" };
function setState(state) {
  if (live.dataset.state === state) return;
  live.dataset.state = state;
  live.textContent = states[state];
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

// Replace an element, and keep what the reader opened and where the keyboard is.
function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const open = [...old.querySelectorAll("details[open]")].map((each) => each.id);
  old.replaceWith(fresh);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) (document.getElementById(focused.id) ?? fresh.querySelector("a, button, summary"))?.focus();
}

function placeRow(event) {
  const rows = document.getElementById("rows");
  const fresh = parse(event.data);
  const old = document.getElementById(fresh.id);
  if (rows === null) return;
  if (old) {
    if (old.dataset.status !== fresh.dataset.status && ["imported", "failed"].includes(fresh.dataset.status)) {
      document.getElementById("said").textContent = `${fresh.dataset.name}: ${fresh.dataset.status}`;
    }
    replace(old, fresh);
  } else {
    const next = [...rows.children].find((row) => row.dataset.at <= fresh.dataset.at);
    fresh.classList.add("fresh");
    rows.insertBefore(fresh, next ?? null);
    const limit = Number(document.getElementById("results").dataset.limit);
    while (rows.children.length > limit) rows.lastElementChild.remove();
  }
  document.getElementById("empty").hidden = true;
}

function placePart(event) {
  const fresh = parse(event.data);
  const old = document.getElementById(fresh.id);
  // A preview that is the same goes on playing.
  if (old && old.outerHTML !== fresh.outerHTML) replace(old, fresh);
}

function connect() {
  source?.close();
  if (!document.body.dataset.stream) return;
  source = new EventSource(document.body.dataset.stream);
  source.addEventListener("open", () => setState("on"));
  source.addEventListener("error", () => {
    setState("lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  });
  source.addEventListener("row", placeRow);
  source.addEventListener("part", placePart);
  source.addEventListener("gone", (event) => {
    document.getElementById(event.data)?.remove();
    document.getElementById("empty").hidden = document.getElementById("rows").children.length > 0;
  });
  source.addEventListener("reload", () => location.reload());
}

// Search while typing.
const filter = document.getElementById("filter");
let asked = 0;
async function search() {
  const query = new URLSearchParams(new FormData(filter));
  for (const [name, value] of [...query]) if (!value) query.delete(name);
  const address = query.size ? `/?${query}` : "/";
  const number = ++asked;
  const answer = await fetch(address);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (number !== asked || !answer.ok) return;
  history.replaceState(null, "", address);
  document.getElementById("results").replaceWith(page.getElementById("results"));
  document.body.dataset.stream = page.body.dataset.stream;
  connect();
}
if (filter) {
  let timer = 0;
  filter.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 150);
  });
  filter.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
}

// Plan faults without leaving the page.
document.getElementById("faults")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { target, submitter } = event;
  const body = { fault: submitter?.value ?? "", times: Number(target.elements.times.value) };
  const problem = document.getElementById("fault-error");
  problem.textContent = "";
  try {
    const answer = await fetch(submitter?.getAttribute("formaction") ?? target.getAttribute("action"), {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Sandbox-Token": token },
      body: JSON.stringify(body),
    });
    if (!answer.ok) problem.textContent = (await answer.json()).reason;
  } catch {
    problem.textContent = "The sandbox does not answer.";
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.firstChild.textContent = "Copied";
  document.getElementById("said").textContent = "Copied";
  setTimeout(() => (button.firstChild.textContent = "Copy"), 1500);
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey && filter) {
    event.preventDefault();
    filter.elements.q.focus();
  }
});

// A page from the browser's memory has missed what happened meanwhile.
addEventListener("pageshow", (event) => event.persisted && location.reload());
connect();
