const BACK_OFF = [1, 2, 4, 8, 15]; // seconds between tries while the server can't be reached
const SLOW = 7_000; // milliseconds until the page says that it takes long
const HEARD = 4_000; // milliseconds that words stay in the live region

/** The chat: what is seen, and the conversation behind it. */
class Chat {
  constructor(host, root) {
    this.host = host;
    this.root = root;
    this.told = {}; // the values of lists, in words
    this.queue = []; // messages that are on their way, the first one first
    this.question = null; // the message whose question is open, with the items that answer it
    this.stopped = new AbortController();
    this.build();
    openOnPaper(root);
    this.welcome();
    if (memory.id) this.restore();
  }

  // --- what is seen ---

  build() {
    const page = this.host.hasAttribute("page");
    this.exitButton = el("button", { type: "button", class: "exit", title: label("exit_hint"), "aria-keyshortcuts": "Escape",
      onclick: () => this.leave() }, icon("leave"), el("span", {}, label("exit")));
    this.log = el("ol", { class: "log" });
    this.scroller = el("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": label("conversation") }, this.log);
    this.typing = el("li", { class: "theirs typing" }, el("div", { class: "bubble" }, unseen(label("writing")), el("i"), el("i"), el("i")));
    this.bar = el("progress", { "aria-label": "" });
    this.progress = el("div", { class: "progress", hidden: true }, el("span"), this.bar);
    this.notice = el("div", { class: "notice", role: "status", hidden: true });
    this.input = el("textarea", { id: "message", rows: 1, placeholder: label("write"), enterkeyhint: "send", autocomplete: "off",
      spellcheck: "false", dir: "auto", "aria-describedby": "too-long", oninput: () => this.typed(), onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
          event.preventDefault();
          this.submit();
        }
      } });
    this.tooLong = el("p", { id: "too-long", class: "too-long", hidden: true });
    this.live = el("div", { class: "unseen", role: "status", "aria-live": "polite" });
    this.alert = el("div", { class: "unseen", role: "alert" });
    this.root.append(
      el("section", { class: "chat", "aria-label": label("chat") },
        el("header", { class: "top" },
          el(page ? "h1" : "h2", { class: "brand" }, mark(), el("span", {}, label("name"))),
          el("button", { type: "button", class: "help", onclick: () => this.open(helpDialog()) }, icon("emergency"), el("span", {}, label("emergency"))),
          el("button", { type: "button", class: "tool", title: label("delete"), onclick: () => this.open(deleteDialog(() => this.remove())) },
            icon("bin"), unseen(label("delete"))),
          this.exitButton,
          this.host.hasAttribute("launcher") && el("button", { type: "button", class: "tool", title: label("close"), onclick: () => this.host.fold() },
            icon("close"), unseen(label("close")))),
        this.progress,
        this.scroller,
        this.notice,
        el("form", { class: "composer", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.submit(); } },
          this.tooLong,
          el("label", { for: "message", class: "unseen" }, label("write")),
          this.input,
          el("button", { type: "submit", class: "send", title: label("send") }, icon("send"), unseen(label("send")))),
        this.live, this.alert));
  }

  open(box) {
    this.root.append(box);
    box.showModal();
  }

  /** What is said before anything was asked of the server. */
  welcome() {
    const { text, buttons } = SPOTWISE.said.utter_greet;
    this.show({ messages: [{ text, buttons, question: null }] }, { quiet: true });
  }

  /** Show an answer of the server below what is there. */
  show(reply, { quiet = false } = {}) {
    const messages = reply.messages ?? [];
    const items = [];
    const cardAt = reply.card ? reply.card.at : -1;
    this.retire();
    for (let at = 0; at <= messages.length; at += 1) {
      if (at === cardAt) items.push(cardItem(reply.card, { print: () => printOnly(this.host), save: saveCopy }));
      if (at < messages.length) items.push(...this.messageItems(messages[at]));
    }
    this.log.append(...items);
    this.showProgress(reply.progress);
    if (!quiet) this.sayAloud(reply);
    return items;
  }

  /** After a turn that asks nothing any more, the last answer is one that can be changed, too. */
  closeQuestion(reply) {
    if (reply.told && !reply.progress) this.question = null;
  }

  messageItems(message) {
    const items = saidItems(message.text);
    if (!message.buttons.length) return items;
    this.offered = choices(message, (payload, title) => this.send(payload, title));
    items.push(el("li", { class: "offer" }, this.offered));
    if (message.question && message.question.slot !== this.question?.message.question.slot) this.question = { message, answers: [] };
    else if (message.question) this.question.message = message;
    return items;
  }

  /** Buttons of earlier messages stay readable, but are over. */
  retire() {
    for (const group of this.log.querySelectorAll(".choices:not(.used):not(.changing .choices)")) {
      group.classList.add("used");
      for (const one of group.querySelectorAll("button")) {
        one.setAttribute("aria-disabled", "true");
        one.tabIndex = -1;
      }
    }
  }

  showProgress(progress) {
    this.progress.hidden = !progress;
    if (!progress) return;
    const number = Math.min(progress.answered + 1, progress.total);
    const words = label("progress", { number, total: progress.total });
    this.progress.firstChild.textContent = words;
    this.bar.max = progress.total;
    this.bar.value = progress.answered;
    this.bar.setAttribute("aria-label", words);
  }

  /** Tell a screen reader what was said, without moving the focus; the words go again after a while. */
  sayAloud(reply) {
    const card = reply.card;
    const texts = [
      ...(card ? [`${card.title}.`, ...card.do, card.calm] : []),
      ...(reply.messages ?? []).map((message) => message.text),
      ...(reply.messages ?? []).flatMap((message) => message.buttons.length ? [`${label("choices")}: ${message.buttons.map((button) => button.title).join(", ")}`] : []),
    ];
    const words = el("p", {}, texts.join("\n"));
    (card?.level === "emergency" ? this.alert : this.live).replaceChildren(words);
    setTimeout(() => words.remove(), HEARD);
  }

  addOwn(text) {
    const item = ownItem(text);
    this.log.append(item);
    return item;
  }

  /** Bring an item to the top of what is seen, so that what follows is read from its beginning. */
  bringUp(item) {
    const scrolls = this.scroller.scrollHeight > this.scroller.clientHeight + 1;
    if (scrolls) this.scroller.scrollTop = item.offsetTop - this.log.offsetTop - 8;
    else if (this.host.hasAttribute("page")) item.scrollIntoView({ block: "start" });
  }

  // --- writing ---

  typed() {
    this.input.style.blockSize = "auto";
    this.input.style.blockSize = `${Math.min(this.input.scrollHeight + 2, 160)}px`;
    const over = [...this.input.value].length - SPOTWISE.limit;
    this.tooLong.hidden = over <= 0;
    this.tooLong.textContent = over > 0 ? label("too_long_by", { count: over }) : "";
    this.input.setAttribute("aria-invalid", String(over > 0));
  }

  submit() {
    const text = this.input.value.trim();
    if (!text) return;
    if (text !== "" && [...text].length > SPOTWISE.limit) {
      this.typed();
      this.input.focus();
      return;
    }
    this.input.value = "";
    this.typed();
    this.send(text, text);
  }

  /** Send a text or a payload; `shown` is how the person sees it. */
  send(text, shown) {
    this.retire();
    const item = this.addOwn(shown);
    this.question?.answers.push(item);
    this.queue.push({ text, shown, item, number: messageNumber(), tries: 0, question: this.question });
    this.bringUp(item);
    this.deliver();
  }

  async deliver() {
    if (this.delivering) return;
    this.delivering = true;
    const { signal } = this.stopped;
    while (this.queue.length && !signal.aborted) {
      const message = this.queue[0];
      this.log.append(this.typing);
      const slow = setTimeout(() => this.tell("slow"), SLOW);
      const reply = await this.answerTo(message, signal);
      clearTimeout(slow);
      if (signal.aborted) return;
      this.typing.remove();
      this.tell(null);
      this.queue.shift();
      if (reply) this.take(reply, message);
    }
    this.delivering = false;
  }

  /** The server's answer to a message, however often it has to be asked; null where it refuses. */
  async answerTo(message, signal) {
    for (let failures = 0; ; ) {
      let result = memory.id ? { outcome: "ok" } : await ask("/conversation", {}, signal);
      if (result.reply?.id) memory.id = result.reply.id;
      if (result.outcome === "ok") {
        const body = { id: memory.id, number: message.number, message: message.text, again: message.tries > 0 };
        message.tries += 1;
        result = await ask("/message", body, signal);
      }
      if (result.outcome === "ok") return result.reply;
      if (result.outcome === "stopped") return null;
      if (result.outcome === "gone" && !message.renewed) {
        // The server doesn't know the conversation any more: go on in a new one.
        memory.id = null;
        message.renewed = true;
        message.tries = 0;
        continue;
      }
      if (result.outcome === "refused" || result.outcome === "gone") {
        this.giveBack(message, result.reply.error ?? label("not_understood"));
        return null;
      }
      const wait = result.outcome === "down" ? BACK_OFF[Math.min(failures, BACK_OFF.length - 1)] : result.wait;
      failures += 1;
      message.item.lastChild.textContent = label("not_sent");
      this.tell({ busy: "too_many", starting: "starting", down: "down" }[result.outcome], failures > 0);
      await this.pause(Math.min(wait, 30) * 1000);
      if (signal.aborted) return null;
    }
  }

  /** Wait, unless the person or the network says that it is worth a try now. */
  pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      const { signal } = this.stopped;
      const self = this;
      function done() {
        clearTimeout(timer);
        removeEventListener("online", done);
        signal.removeEventListener("abort", done);
        self.goOn = null;
        resolve();
      }
      addEventListener("online", done);
      signal.addEventListener("abort", done);
      this.goOn = done;
    });
  }

  /** Show how the line to the server is; in trouble, what to do without it as well. */
  tell(state, withWords = false) {
    if (state === this.state) return;
    const before = this.state;
    this.state = state;
    this.notice.hidden = state === null;
    this.notice.replaceChildren();
    if (state === null) {
      if (before === "down" || before === "starting") this.live.replaceChildren(el("p", {}, label("back")));
      this.saidHolding = false;
      return;
    }
    this.notice.append(el("p", {}, label(state)));
    if (state !== "slow") this.notice.append(el("button", { type: "button", class: "choice", onclick: () => this.goOn?.() }, label("try_now")));
    if (withWords && !this.saidHolding) {
      this.saidHolding = true;
      const items = saidItems([label("until_then"), ...holdingWords()].join("\n"));
      this.typing.remove();
      this.log.append(...items);
      this.bringUp(this.queue[0]?.item ?? items[0]);
    }
  }

  /** A message that the server refuses: say why, and put the words back where they were typed. */
  giveBack(message, why) {
    message.item.lastChild.textContent = label("not_sent");
    this.log.append(...saidItems(why));
    this.live.replaceChildren(el("p", {}, why));
    if (!message.text.startsWith("/") && !this.input.value) {
      this.input.value = message.text;
      this.typed();
    }
  }

  /** Take in the answer to a message. */
  take(reply, message) {
    message.item.lastChild.textContent = "";
    if (reply.deleted) memory.id = null;
    if (reply.deleted || reply.fresh) {
      this.clear();
      this.show(reply);
      return;
    }
    if (reply.told) this.told = reply.told;
    const asked = message.question;
    if (!reply.messages?.length && !reply.card) {
      this.show({ messages: [{ text: [label("no_answer"), ...holdingWords()].join("\n"), buttons: [], question: null }] });
    } else {
      this.show(reply);
      this.closeQuestion(reply);
    }
    this.bringUp(message.item);
    // An answer whose question is over can be changed; one that did not answer it can't.
    if (asked && asked !== this.question && asked.answers.at(-1) === message.item) this.makeChangeable(message.item, asked);
    if (reply.failed) setTimeout(() => this.catchUp(message), 6_000);
  }

  /** After a turn that took too long: what it came to in the end. */
  async catchUp(message) {
    const { outcome, reply } = await ask("/history", { id: memory.id }, this.stopped.signal);
    const last = reply.turns?.at(-1);
    if (outcome === "ok" && last?.number === message.number && last.messages.length && !this.queue.length) {
      if (last.told) this.told = last.told;
      this.show(last);
    }
  }

  // --- changing an answer ---

  makeChangeable(item, { message }) {
    const bubble = item.querySelector(".bubble");
    if (!bubble || item.querySelector(".change")) return;
    const button = el("button", { type: "button", class: "bubble change", dir: "auto", "aria-expanded": "false",
      onclick: () => this.change(item, message, button) },
      ...bubble.childNodes, icon("change"), unseen(` ${label("change")}`));
    bubble.replaceWith(button);
  }

  change(item, message, button) {
    const close = () => {
      item.querySelector(".changing")?.remove();
      button.setAttribute("aria-expanded", "false");
    };
    if (item.querySelector(".changing")) return close();
    const { question } = message;
    const buttons = message.buttons
      .map((one) => ({ title: one.title, payload: correcting(question, one) }))
      .filter((one) => one.payload !== null);
    const chosen = Object.fromEntries(Object.entries(this.told[question.slot] ?? {})
      .filter(([value]) => !["none", "unsure", "undisclosed"].includes(value)));
    for (const one of message.buttons) {
      const value = oneOfMany(question, one);
      if (value in chosen) chosen[value] = one.title;
    }
    const group = choices({ question, buttons }, (payload, title) => {
      close();
      item.classList.add("changed");
      const before = this.question;
      this.send(payload, label("changed_to", { answer: title || label("cancel") }));
      const sent = this.queue.at(-1);
      // What is changed now is an answer to that question, and not to the open one.
      before?.answers.pop();
      sent.question = { message, answers: [sent.item] };
    }, question.many
      ? { chosen, note: label("change_many"), send: label("save_change"), cancel: () => { close(); button.focus(); } }
      : { cancel: () => { close(); button.focus(); } });
    button.setAttribute("aria-expanded", "true");
    item.append(el("div", { class: "changing" }, el("p", { class: "hint" }, label("change_to")), group));
    group.querySelector("button").focus();
  }

  // --- coming back, leaving, deleting ---

  /** After a reload: show the conversation again. */
  async restore() {
    const { signal } = this.stopped;
    this.delivering = true; // what is typed meanwhile waits
    for (let failures = 0; memory.id && !signal.aborted; failures += 1) {
      const { outcome, reply, wait } = await ask("/history", { id: memory.id }, signal);
      if (outcome === "ok") {
        this.showTurns(reply.turns);
        break;
      }
      if (outcome === "gone" || outcome === "refused") {
        memory.id = null;
        break;
      }
      if (outcome === "stopped") return;
      this.tell({ busy: "too_many", starting: "starting", down: "down" }[outcome], true);
      await this.pause((outcome === "down" ? BACK_OFF[Math.min(failures, BACK_OFF.length - 1)] : wait) * 1000);
    }
    this.tell(null);
    this.delivering = false;
    this.deliver();
  }

  showTurns(turns) {
    if (!turns.length) return;
    const waiting = this.queue.map((message) => message.item);
    this.clear();
    let last;
    for (const turn of turns) {
      this.retire();
      const asked = this.question;
      const item = this.addOwn(turn.you);
      asked?.answers.push(item);
      this.show(turn, { quiet: true });
      this.closeQuestion(turn);
      if (asked && asked !== this.question) this.makeChangeable(asked.answers.at(-1), asked);
      last = item;
    }
    this.told = turns.at(-1).told ?? {};
    this.log.append(...waiting);
    this.bringUp(last);
  }

  clear() {
    this.log.replaceChildren();
    this.question = null;
    this.told = {};
    this.showProgress(null);
  }

  /** Delete the conversation, here and on the server. */
  async remove() {
    const id = memory.id;
    const { outcome } = id ? await ask("/delete", { id }, new AbortController().signal) : { outcome: "ok" };
    if (outcome !== "ok" && outcome !== "gone") {
      this.log.append(...saidItems(label("delete_failed")));
      this.alert.replaceChildren(el("p", {}, label("delete_failed")));
      return;
    }
    this.forget();
    const items = this.show({ messages: [{ text: label("deleted"), buttons: [], question: null }] });
    this.welcome();
    this.bringUp(items[0]);
  }

  /** Drop all that is known here, and what is on its way. */
  forget() {
    memory.id = null;
    this.stopped.abort();
    this.stopped = new AbortController();
    this.queue = [];
    this.delivering = false;
    this.tell(null);
    this.clear();
    this.input.value = "";
    this.typed();
  }

  /** Leave at once for a neutral page, and leave nothing behind. */
  leave() {
    const id = memory.id;
    if (id) navigator.sendBeacon(HOME + SPOTWISE.api + "/delete", JSON.stringify({ id }));
    this.forget();
    document.title = "";
    location.replace(SPOTWISE.exit);
  }
}
