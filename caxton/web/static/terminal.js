// Says why a terminal has ended, which textual.js does not, and opens it anew when the server is back.
"use strict";
window.WebSocket = class extends window.WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener("open", () => document.querySelector("textarea").focus());
    this.addEventListener("close", (event) => {
      const away = event.code < 4000;
      document.getElementById("why").textContent = away
        ? "The connection is gone; it is tried again."
        : event.reason;
      if (away) setTimeout(again, 2000);
    });
  }
};

async function again() {
  const answer = await fetch("/static/terminal.js", { headers: { "x-caxton-refresh": "1" } }).catch(() => null);
  if (answer) location.reload();
  else setTimeout(again, 2000);
}

// letters are measured when the terminal is made: their font must be there
document.fonts.load("16px 'Roboto Mono'");
