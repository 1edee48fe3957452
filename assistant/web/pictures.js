const LINES = {
  // 24 by 24, drawn with a line
  phone: "M6.500 3.500h3l1.500 4-2 1.500a12 12 0 0 0 6 6l1.500-2 4 1.500v3a2 2 0 0 1-2 2A16.500 16.500 0 0 1 4.500 5.500a2 2 0 0 1 2-2z",
  emergency: "M12 3.500 22 20.500H2zM12 10v4.500M12 17.300v.2",
  same_day: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7.500V12l3 2.500",
  soon: "M4 6.500h16v13.500H4zM4 10.500h16M8.500 3.500v5M15.500 3.500v5M9 15h6",
  routine: "M4 6.500h16v13.500H4zM4 10.500h16M8.500 3.500v5M15.500 3.500v5M9 15l2.200 2.200L15.500 13",
  self_care: "M3.500 11.500 12 4l8.500 7.500M6 10v10h12V10M12 17.500c-2-1.300-3-2.300-3-3.500a1.500 1.500 0 0 1 3-.3 1.500 1.500 0 0 1 3 .3c0 1.200-1 2.200-3 3.500z",
  leave: "M10 4H5v16h5M14 8l4.500 4L14 16M18 12H9.500",
  bin: "M4.500 6.500h15M9.500 6.500V4h5v2.500M6.500 6.500 7.500 20h9l1-13.500M10.300 10.500v6M13.700 10.500v6",
  change: "M4.500 19.500h3.700L19 8.700 15.300 5 4.500 15.800zM13 7.300l3.700 3.700",
  send: "M12 20V5M5.500 11 12 4.500l6.500 6.500",
  tick: "M5 12.500l4.500 4.500L19 7.500",
  close: "M6 6l12 12M18 6 6 18",
  chat: "M4 5h16v11.500H11L6.500 20v-3.500H4z",
  print: "M7 9V4h10v5M7 16.500H4V9h16v7.500h-3M7 13.500h10V20H7z",
  save: "M12 4v11M7.500 11l4.500 4.500 4.500-4.500M4.500 19.500h15",
};

/** A small picture beside words; the words say the same. */
function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: LINES[name] }));
}

/** Spotwise's mark. */
function mark() {
  return svg("svg", { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" },
    svg("rect", { width: 32, height: 32, rx: 9 }),
    svg("path", { class: "drop", d: "M16 6c4.200 5 6.600 8.600 6.600 12a6.600 6.600 0 0 1-13.200 0c0-3.400 2.400-7 6.600-12z" }),
    svg("path", { class: "check", d: "m12.700 18 2.500 2.500 4.300-4.700" }));
}

// --- how much blood: the same pad, with more of it ---

const PAD = "M13 5c5-2 25-2 30 0 3 1.500 3 4 2 7s-1 5 0 8 1 5.500-2 7c-5 2-25 2-30 0-3-1.500-3-4-2-7s1-5 0-8-1-5.500 2-7z";
const LINER = "M14 9c6-1.500 22-1.500 28 0 2.500 1 3 4 3 7s-.500 6-3 7c-6 1.500-22 1.500-28 0-2.500-1-3-4-3-7s.500-6 3-7z";
const TISSUE = "M12 6.500 43 4l2.500 21-31 3z";
const AMOUNTS = {
  spotting: [TISSUE, [[25, 15, 2, 1.600], [31, 18, 1.300, 1.100], [29.500, 12, 1, .9]]],
  light: [LINER, [[28, 16, 6, 3]]],
  like_period: [PAD, [[28, 16, 10, 5.500]]],
  heavy: [PAD, [[28, 16, 14.500, 8]]],
  very_heavy: [PAD, [[28, 16, 16.300, 10.200]], [[20, 31], [28, 33], [36, 31]]],
};

/** A drawing of an amount of blood, for the button that names it; nothing for other buttons. */
function amountDrawing(payload) {
  const [paper, stains, drops = []] = AMOUNTS[factsIn(payload).bleeding_amount] ?? [];
  return paper && svg("svg", { class: "amount", viewBox: "8 1 40 35", "aria-hidden": "true", focusable: "false" },
    svg("path", { class: "paper", d: paper }),
    stains.map(([cx, cy, rx, ry]) => svg("ellipse", { class: "blood", cx, cy, rx, ry })),
    drops.map(([x, y]) => svg("path", { class: "blood", d: `M${x} ${y - 4}c1.600 2 2.200 3.200 2.200 4.400a2.200 2.200 0 0 1-4.400 0c0-1.200.6-2.400 2.200-4.400z` })));
}
