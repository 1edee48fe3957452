const TITLE = "Spotwise";

/** Have the notes open on paper, however they are on the screen. */
function openOnPaper(root) {
  const closed = [];
  addEventListener("beforeprint", () => {
    // Added, for some browsers say it more than once.
    closed.push(...root.querySelectorAll("details:not([open])"));
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of closed.splice(0)) details.open = false; });
}

/** Print the latest assessment. On another site's page, everything else of that page stays off the paper. */
function printOnly(host) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`@media print {
    body * { visibility: hidden }
    ${host.localName} { visibility: visible; position: absolute; inset: 0 0 auto 0; display: block }
  }`);
  const before = document.adoptedStyleSheets;
  document.adoptedStyleSheets = [...before, sheet];
  addEventListener("afterprint", () => { document.adoptedStyleSheets = before; }, { once: true });
  print();
}

/** Save the assessment as a page of its own, without scripts. */
function saveCopy(article) {
  const page = document.implementation.createHTMLDocument(TITLE);
  page.documentElement.lang = "en";
  const copy = page.importNode(article, true);
  for (const gone of copy.querySelectorAll(".keep, svg, .bar")) gone.remove();
  for (const details of copy.querySelectorAll("details")) details.open = true;
  for (const node of copy.querySelectorAll("[aria-hidden]")) node.removeAttribute("aria-hidden");
  const style = page.createElement("style");
  style.textContent = "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}";
  const encoding = page.createElement("meta");
  encoding.setAttribute("charset", "utf-8");
  page.head.prepend(encoding);
  page.head.append(style);
  page.body.append(copy);
  const url = URL.createObjectURL(new Blob(["<!doctype html>", page.documentElement.outerHTML], { type: "text/html" }));
  const link = el("a", { href: url, download: `${label("file")}.html` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
