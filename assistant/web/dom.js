// Where the script came from is where the server is, also when it runs on another site.
const HOME = new URL(document.currentScript.src).origin;
const LABELS = SPOTWISE.labels;

/** A label with its gaps filled in. */
function label(name, filled = {}) {
  return LABELS[name].replace(/\{(\w+)\}/g, (gap, key) => filled[key] ?? gap);
}

/** An element. Strings become text and never markup; `onclick` and the like are listeners. */
function el(name, attributes = {}, ...children) {
  return dressed(document.createElement(name), attributes, children);
}

/** The same for a drawing. */
function svg(name, attributes = {}, ...children) {
  return dressed(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function dressed(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat(3).filter((child) => child != null && child !== false));
  return node;
}

/** Words for screen readers only. */
function unseen(text) {
  return el("span", { class: "unseen" }, text);
}

// --- what can be tapped in a text: sources we know, and the numbers for help ---

const LINK = /https?:\/\/[^\s<>"'()[\]{}]+/g;
const PHONE = new RegExp(`(?<![\\w-])(?:${SPOTWISE.phones.join("|")})(?![\\w-])`, "g");

/** Turn the parts of a text that match into nodes, and leave the rest as text. */
function replaced(parts, pattern, made) {
  return parts.flatMap((part) => {
    if (typeof part !== "string") return [part];
    const found = [];
    let end = 0;
    for (const match of part.matchAll(pattern)) {
      const node = made(match[0]);
      if (!node) continue;
      found.push(part.slice(end, match.index), node);
      end = match.index + node.textContent.length;
    }
    return [...found, part.slice(end)];
  });
}

function link(text) {
  const shown = text.replace(/[.,;:!?]+$/, "");
  return SPOTWISE.hosts.includes(hostOf(shown)) && el("a", { href: shown, target: "_blank", rel: "noopener noreferrer" }, shown);
}

function hostOf(address) {
  try { return new URL(address).hostname; } catch { return null; }
}

function phone(text) {
  return el("a", { href: `tel:${text.replace(/\D/g, "")}` }, text);
}

/** A line of what the assistant says, as nodes. */
function line(text) {
  return replaced(replaced([text], LINK, link), PHONE, phone);
}

/** Lines, some of them points of a list (`- …`), as paragraphs and lists. */
function blocks(lines) {
  const made = [];
  for (const text of lines) {
    if (!text.startsWith("- ")) made.push(el("p", {}, line(text)));
    else {
      if (made.at(-1)?.localName !== "ul") made.push(el("ul"));
      made.at(-1).append(el("li", {}, line(text.slice(2))));
    }
  }
  return made;
}
