const TWICE = 1_500; // milliseconds between the two presses of Escape
const STYLE = new CSSStyleSheet();
STYLE.replaceSync(SPOTWISE.style);

/**
 * <spotwise-chat>: the chat, in the place of the element. With the attribute `launcher` it is a button in the
 * corner that opens the chat; with `page` it fills the page, as on the assistant's own.
 */
class SpotwiseChat extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [STYLE];
    if (this.hasAttribute("launcher")) {
      this.button = el("button", { type: "button", class: "launch", "aria-expanded": "false", onclick: () => this.unfold() },
        icon("chat"), el("span", {}, label("open")));
      root.append(this.button);
    } else {
      this.begin(root);
    }
  }

  begin(root) {
    this.chat = new Chat(this, root);
    let escaped = -Infinity;
    addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.repeat) return;
      if (event.timeStamp - escaped < TWICE) this.chat.leave();
      escaped = event.timeStamp;
    }, true);
    // A page that the browser brings back as it was may belong to somebody else by now.
    addEventListener("pageshow", (event) => { if (event.persisted && !memory.id) location.reload(); });
  }

  unfold() {
    this.setAttribute("open", "");
    this.button.setAttribute("aria-expanded", "true");
    this.button.hidden = true;
    if (!this.chat) this.begin(this.shadowRoot);
    this.chat.input.focus();
  }

  fold() {
    this.removeAttribute("open");
    this.button.hidden = false;
    this.button.setAttribute("aria-expanded", "false");
    this.button.focus();
  }
}

customElements.define("spotwise-chat", SpotwiseChat);

/** A page that has no place for the chat gets the button. */
function addLauncher() {
  if (!document.querySelector("spotwise-chat")) document.body.append(el("spotwise-chat", { launcher: true }));
}
if (document.readyState === "loading") addEventListener("DOMContentLoaded", addLauncher);
else addLauncher();
