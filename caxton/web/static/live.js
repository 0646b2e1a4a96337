// Keeps the page of a conversation fresh: draws it anew from the server when a row of it is committed.
"use strict";
const path = location.pathname.replace(/^\/c\//, "/live/");
const news = new EventSource(path);
let asked = false, again = false;

function say(text) {
  document.getElementById("live").textContent = text;
}

async function refresh() {
  if (asked) { again = true; return; }
  asked = true;
  const answer = await fetch(location.href, { headers: { "x-caxton-refresh": "1" } }).catch(() => null);
  if (answer && answer.ok) {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    const open = [...document.querySelectorAll("details[open]")].map((one) => one.id);
    const drawing = document.querySelector(".drawing").scrollLeft;
    document.querySelector("main").replaceWith(document.adoptNode(fresh));
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    document.querySelector(".drawing").scrollLeft = drawing;
    say("live");
  }
  setTimeout(() => { asked = false; if (again) { again = false; refresh(); } }, 500);
}

news.addEventListener("there", refresh);
news.addEventListener("news", refresh);
news.addEventListener("away", (event) => say(`the daemon is away; this is what was known: ${event.data}`));
news.addEventListener("error", () => {
  if (news.readyState === EventSource.CLOSED) say("the session has ended; load the page again");
});
const message = document.querySelector(`details:target`);
if (message) message.open = true;
