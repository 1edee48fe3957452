/** The ways in which a request can end. */
const OUTCOME = { 400: "refused", 401: "gone", 403: "refused", 410: "gone", 413: "refused", 429: "busy" };
const PATIENCE = 12_000; // milliseconds; the server itself answers within 5 seconds

/** Send something to the server: how it ended, and what came back. Never throws. */
async function ask(path, body, signal) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE);
  const stop = () => late.abort();
  signal.addEventListener("abort", stop);
  try {
    // Text, and not JSON by its type, so that no browser asks first whether it may.
    const answer = await fetch(HOME + SPOTWISE.api + path, {
      method: "POST", body: JSON.stringify(body), signal: late.signal,
      credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer",
    });
    const reply = await answer.json();
    if (answer.ok) return { outcome: "ok", reply };
    const outcome = reply.why === "starting" ? "starting" : OUTCOME[answer.status] ?? "down";
    return { outcome, reply, wait: Number(answer.headers.get("retry-after")) || 2 };
  } catch {
    return { outcome: signal.aborted ? "stopped" : "down", reply: {} };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** What the tab remembers, and forgets when it is closed: the conversation's id, nothing else. */
const memory = {
  key: "spotwise",
  kept: null, // where the browser lets us keep nothing
  get id() {
    try { return sessionStorage.getItem(this.key) ?? this.kept; } catch { return this.kept; }
  },
  set id(id) {
    this.kept = id;
    try {
      if (id === null) sessionStorage.removeItem(this.key);
      else sessionStorage.setItem(this.key, id);
    } catch { /* the id lives as long as the page */ }
  },
};

/** A number for a message, so that the server knows it when it is sent again. */
function messageNumber() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
