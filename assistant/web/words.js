/** What the page says by itself, for when the server can't: the emergency first, then the rest. */
function holdingWords() {
  const lines = ["utter_calm", "utter_what_to_do", "utter_criteria", "utter_limits"].map((name) =>
    SPOTWISE.said[name].text.split("\n"));
  const urgent = lines[1].pop();
  return [urgent, ...lines.flat()];
}

/** Large buttons that call for help. */
function callButtons() {
  const numbers = SPOTWISE.phones.slice(0, 3);
  return el("div", { class: "calls" },
    numbers.map((number) => el("a", { class: "call", href: `tel:${number}` }, icon("phone"), label("call", { number }))));
}

// --- what a button sends ---

/** The facts in a payload such as `/describe_spotting{"pain":"none"}`. */
function factsIn(payload) {
  const start = payload.indexOf("{");
  return start < 0 ? {} : JSON.parse(payload.slice(start));
}

/** The payload that tells facts, or puts them right. */
function telling(facts, corrects) {
  return `/${corrects ? "correct_answer" : "describe_spotting"}${JSON.stringify(facts)}`;
}

/** The value that a button gives to the slot of a question of which several answers fit. */
function oneOfMany(question, button) {
  const value = question?.many ? factsIn(button.payload)[question.slot] : undefined;
  return value === "none" ? undefined : value;
}

/** What a button of an earlier question has to send to change that answer; nothing where it can't. */
function correcting(question, button) {
  const facts = factsIn(button.payload);
  if (Object.keys(facts).length) return telling(facts, true);
  if (!(button.payload in question)) return button.payload;
  const value = question[button.payload];
  return value === null ? null : telling({ [question.slot]: value }, true);
}
