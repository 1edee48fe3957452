/** A dialog over the chat, open until it is closed. The browser keeps the focus in it, and gives it back. */
function dialog(heading, content, actions) {
  const title = el("h2", { id: "dialog-title" }, heading);
  const box = el("dialog", { "aria-labelledby": "dialog-title", onclose: () => box.remove() },
    title, el("div", { class: "content", tabindex: "0", role: "group", "aria-labelledby": "dialog-title" }, content),
    el("div", { class: "actions" }, actions(() => box.close())));
  return box;
}

/** What to do in an emergency, and when to contact a doctor. */
function helpDialog() {
  return dialog(label("in_emergency"), [callButtons(), el("p", { class: "hint" }, label("differ")), blocks(holdingWords())],
    (close) => el("button", { type: "button", class: "choice", autofocus: true, onclick: close }, label("close_help")));
}

/** Ask before deleting. */
function deleteDialog(remove) {
  return dialog(label("delete_sure"), el("p", {}, label("delete_what")), (close) => [
    el("button", { type: "button", class: "choice danger", onclick: () => { close(); remove(); } }, icon("bin"), label("delete_yes")),
    el("button", { type: "button", class: "choice", autofocus: true, onclick: close }, label("delete_no")),
  ]);
}
