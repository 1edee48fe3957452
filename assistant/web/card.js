function section(name, heading, ...content) {
  return el("section", { class: name }, el("h3", {}, heading), ...content);
}

/** A cause: its name, a bar with words for how well it fits, and why. */
function causeItem(cause) {
  const words = label(`fit_${cause.fit}`);
  const bar = el("span", { class: "bar", role: "img", "aria-label": label("fit_of", { words, fit: cause.fit }) },
    [1, 2, 3, 4, 5].map((step) => el("span", { class: step <= cause.fit ? "full" : "" })));
  return el("li", {},
    el("p", { class: "cause" }, el("strong", {}, cause.name)),
    el("p", { class: "fit" }, bar, el("span", { "aria-hidden": "true" }, words)),
    el("p", {}, cause.what),
    cause.reasons.length > 0 && el("p", { class: "reasons" }, `${label("fits_because")} ${cause.reasons.join(". ")}.`));
}

function causesSection(card) {
  const likely = card.causes.filter((cause) => cause.likely);
  const toCheck = card.causes.filter((cause) => !cause.likely);
  return section("causes", label("fits"),
    el("p", { class: "hint" }, label("fits_note")),
    el("ul", {}, likely.map(causeItem)),
    toCheck.length > 0 && [el("h4", {}, label("to_check")), el("ul", {}, toCheck.map(causeItem))],
    card.reassurance && el("p", {}, card.reassurance));
}

/** The assessment. `keep` has what can be done with it: print and save. */
function cardItem(card, keep) {
  const emergency = card.level === "emergency";
  const button = (name, act) => el("button", { type: "button", class: "choice", onclick: act }, icon(name), el("span", {}, label(name)));
  const note = el("details", { class: "note" },
    el("summary", {}, label("note")), card.note.map((text) => blocks(text.split("\n"))));
  const article = el("article", { class: `card ${card.level}`, "aria-label": label("how_soon") },
    el("header", {},
      el("span", { class: "level" }, icon(card.level), label(`${card.level}_level`)),
      el("h2", {}, `${card.title}.`)),
    el("div", { class: "body" },
      section("do", label("what_to_do"), emergency && callButtons(), blocks(card.do), blocks(card.also)),
      el("p", { class: "calm" }, card.calm),
      card.why.length > 0 && section("why", label("why"), blocks([...card.changed, ...card.why])),
      card.now.length > 0 && section("now", label(emergency ? "for_now_emergency" : "for_now"), blocks(card.now)),
      card.causes.length > 0 && causesSection(card),
      section("criteria", label("criteria"), blocks(card.criteria)),
      el("div", { class: "limits" }, blocks(card.limits)),
      note,
      el("p", { class: "made" }, label("made", { day: new Date().toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" }) })),
      el("div", { class: "keep" }, button("print", keep.print), button("save", () => keep.save(article)),
        el("p", { class: "hint" }, label("save_hint")))));
  return el("li", { class: "result" }, article);
}
