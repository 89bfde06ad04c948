// What the keyboard does: everything the mouse can.

export const KEYS = [
  ["↑ ↓", "slice up, down"],
  ["Home End", "lowest, highest slice"],
  ["1 2 3", "window: brain, stroke, blood"],
  ["[ ]", "window narrower, wider"],
  [", .", "window level lower, higher"],
  ["+ −", "zoom in, out"],
  ["A D W S", "move the picture left, right, up, down"],
  ["0", "fit the picture"],
  ["F", "28 frames or full series"],
  ["V", "axial, coronal, sagittal (where slices are 5 mm or thinner)"],
  ["C", "CT number in the middle of the picture"],
  ["H", "heatmap on or off (if any)"],
  ["← →", "probability − 5 %, + 5 %"],
  ["Shift ← →", "probability − 1 %, + 1 %"],
  ["Y N", "yes, no"],
  ["Shift 1 … 5", "how sure"],
  ["E B R", "mark with the mouse: ellipse, box, brush"],
  ["T", "measure a distance with the mouse"],
  ["M", "mark with the keys: arrows move, Shift + arrows size, Enter done"],
  ["Delete", "remove the last mark of this picture"],
  ["Enter", "submit"],
  ["P X", "previous, next case"],
  ["?", "this list"],
];
export const POINTER = [
  ["Pointer", "CT number beneath it"],
  ["Wheel", "slices (with Ctrl: zoom)"],
  ["Drag", "window"],
  ["Right or Shift drag", "move the picture"],
  ["Touch", "one finger: slices; two: zoom"],
];

const isField = (node) => node instanceof HTMLInputElement && node.type === "number";
const isList = (node) => node instanceof HTMLInputElement && ["range", "radio"].includes(node.type);
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

// `act` holds one function for every deed; see app.js.
export function listenToKeys(viewer, act) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?" && !isField(event.target)) {
      act.help();
      event.preventDefault();
    }
    if (!act.isReading()) return;
    const { target } = event;
    if (isField(target)) {
      // Enter submits by itself, or says what is missing.
      if (event.key === "Escape") viewer.canvas.focus();
      return;
    }
    // A focused control keeps the keys that work it.
    if (isList(target) && (event.key in ARROWS || ["Home", "End", " "].includes(event.key))) return;
    if (target instanceof HTMLButtonElement && ["Enter", " "].includes(event.key)) return;
    if (pressed(event, viewer, act)) event.preventDefault();
  });
}

function pressed(event, viewer, act) {
  const { key, code, shiftKey } = event;
  const arrow = ARROWS[key];
  if (viewer.active) {
    if (arrow) viewer.nudge(3 * arrow[0], 3 * arrow[1], shiftKey);
    else if (["Enter", "Escape", "m", "M"].includes(key)) act.endMark();
    if (arrow || ["Enter", "Escape", "m", "M"].includes(key)) return true;
  }
  // By place on the keyboard: with Shift, or on a French one, the key says another sign.
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  if (digit !== undefined) {
    if (shiftKey && digit >= 1 && digit <= 5) act.confidence(Number(digit));
    else if (!shiftKey && digit >= 1 && digit <= 3) act.preset(Number(digit) - 1);
    else if (!shiftKey && digit === "0") viewer.fit();
    else return false;
    return true;
  }
  const { width, level } = viewer.window;
  const deed = {
    ArrowUp: () => viewer.step(1),
    ArrowDown: () => viewer.step(-1),
    PageUp: () => viewer.step(5),
    PageDown: () => viewer.step(-5),
    Home: () => viewer.setSlice(0),
    End: () => viewer.setSlice(Infinity),
    ArrowLeft: () => act.probability(shiftKey ? -1 : -5),
    ArrowRight: () => act.probability(shiftKey ? 1 : 5),
    "[": () => viewer.setWindow(width - 5, level),
    "]": () => viewer.setWindow(width + 5, level),
    ",": () => viewer.setWindow(width, level - 2),
    ".": () => viewer.setWindow(width, level + 2),
    "+": () => viewer.zoomBy(1.2),
    "=": () => viewer.zoomBy(1.2),
    "-": () => viewer.zoomBy(1 / 1.2),
    a: () => viewer.panBy(-30, 0),
    d: () => viewer.panBy(30, 0),
    w: () => viewer.panBy(0, -30),
    s: () => viewer.panBy(0, 30),
    f: () => act.toggleSeries(),
    v: () => act.nextPlane(),
    c: () => viewer.toggleCross(),
    t: () => act.tool("distance"),
    h: () => act.toggleHeat(),
    y: () => act.decision(1),
    n: () => act.decision(0),
    e: () => act.tool("ellipse"),
    b: () => act.tool("box"),
    r: () => act.tool("brush"),
    m: () => act.placeMark(),
    Delete: () => act.removeLastMark(),
    Backspace: () => act.removeLastMark(),
    Escape: () => act.tool(null),
    Enter: () => act.submit(),
    p: () => act.turn("previous"),
    x: () => act.turn("next"),
  }[key.length === 1 ? key.toLowerCase() : key];
  if (!deed) return false;
  deed();
  return true;
}
