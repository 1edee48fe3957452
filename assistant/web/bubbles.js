const SHORT = 260; // letters of a bubble, as far as lines allow

/** The lines of a text, put together to short bubbles; a list stays whole, with the line that leads to it. */
function bubbleLines(text) {
  const bubbles = [];
  let room = 0;
  for (const [at, words] of text.split("\n").entries()) {
    const inList = words.startsWith("- ");
    const leads = text.split("\n")[at + 1]?.startsWith("- ") && !inList;
    const last = bubbles.at(-1);
    const listEnded = last?.at(-1).startsWith("- ") && !inList;
    if (!last || (!inList && (listEnded || words.length > room || (leads && last.length > 1)))) {
      bubbles.push([words]);
      room = SHORT - words.length;
    } else {
      last.push(words);
      room -= words.length;
    }
  }
  return bubbles;
}

/** What Spotwise says, as list items. */
function saidItems(text) {
  return bubbleLines(text).map((lines, at) =>
    el("li", { class: "theirs" },
      el("div", { class: "bubble", dir: "auto" }, at === 0 && unseen(`${label("spotwise_said")} `), blocks(lines))));
}

/** What the person says, as a list item. */
function ownItem(text) {
  const bubble = el("div", { class: "bubble", dir: "auto" }, unseen(`${label("you_said")} `), el("span", { class: "words" }, text));
  return el("li", { class: "own" }, bubble, el("span", { class: "state" }));
}

/**
 * The buttons of a message. Where several answers fit, they are chosen one by one and sent together.
 * `choose(payload, title)` is called once.
 */
function choices(message, choose, { send, note, chosen = {}, cancel } = {}) {
  const { question, buttons } = message;
  const picked = new Map(Object.entries(chosen));
  const group = el("div", { class: "choices", role: "group", "aria-label": label("choices") });
  const goOn = el("button", { type: "button", class: "go-on", onclick: () => finish(null) }, send ?? label("go_on"));

  function finish(button) {
    if (group.classList.contains("used")) return;
    const several = button === null;
    const titles = several ? [...picked.values()] : [button.title];
    const payload = several ? several_(picked) : button.payload;
    for (const one of group.querySelectorAll("button")) {
      one.setAttribute("aria-disabled", "true");
      one.tabIndex = -1;
      const isChosen = several ? one.getAttribute("aria-pressed") === "true" : one.dataset.payload === payload;
      if (isChosen) one.classList.add("chosen");
      if (isChosen && !several) one.append(icon("tick"), unseen(` (${label("chosen")})`));
    }
    group.classList.add("used");
    choose(payload, titles.join(", "));
  }
  const several_ = (values) => telling({ [question.slot]: values.size ? [...values.keys()] : ["none"] }, Boolean(cancel));

  function toggle(one, value, title) {
    if (group.classList.contains("used")) return;
    if (!picked.delete(value)) picked.set(value, title);
    one.setAttribute("aria-pressed", String(picked.has(value)));
    goOn.hidden = !picked.size && !cancel;
  }
  function several(value, title) {
    const one = el("button", { type: "button", class: "choice many", "aria-pressed": String(picked.has(value)),
      onclick: () => toggle(one, value, title) }, icon("tick"), el("span", {}, title));
    return one;
  }
  function single(button) {
    const drawing = amountDrawing(button.payload);
    const quiet = !factsIn(button.payload)[question?.slot] && button.payload in (question ?? {});
    return el("button", { type: "button", class: `choice${drawing ? " drawn" : ""}${quiet ? " quiet" : ""}`,
      "data-payload": button.payload, onclick: () => finish(button) }, drawing, el("span", {}, button.title));
  }

  const offered = new Set(buttons.map((button) => oneOfMany(question, button)));
  const more = Object.entries(chosen).filter(([value]) => !offered.has(value));
  const many = buttons.some((button) => oneOfMany(question, button) !== undefined);
  group.append(
    ...buttons.map((button) => {
      const value = oneOfMany(question, button);
      return value === undefined ? single(button) : several(value, button.title);
    }),
    ...more.map(([value, words]) => several(value, words)));
  if (many) {
    group.prepend(el("p", { class: "hint" }, note ?? label("many")));
    goOn.hidden = !picked.size && !cancel;
    group.append(goOn);
  }
  if (cancel) group.append(el("button", { type: "button", class: "choice quiet", onclick: cancel }, label("cancel")));
  return group;
}
