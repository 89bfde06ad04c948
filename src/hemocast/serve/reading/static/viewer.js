// The scan on a canvas: slices, window, zoom, heatmap, marks. Knows nothing of answers or servers.
//
// Picture pixels run from (0, 0), the top left corner, as everywhere in the study. The patient's
// right is at the left, anterior at the top, slices from inferior to superior.

import { Hand } from "./hand.js";
import { drawMark, newMark } from "./marks.js";
import { mayReslice, planeOf, probe } from "./planes.js";

export const PRESETS = [
  { name: "Brain", width: 80, level: 40 },
  { name: "Stroke", width: 40, level: 40 },
  { name: "Blood", width: 100, level: 50 },
];
const LOWEST = -1024;
const HIGHEST = 3071;
const SKIN_HU = -300;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class Viewer {
  // `changed` is called with "view" when slice or window change and "marks" when a mark was made.
  // `output` is where CT numbers and distances are written.
  constructor(canvas, output, changed) {
    this.canvas = canvas;
    this.output = output;
    this.changed = changed;
    this.paper = document.createElement("canvas");
    this.film = document.createElement("canvas");
    this.views = {};
    this.view = "frames";
    this.window = { ...PRESETS[0] };
    this.marks = [];
    this.tool = null;
    this.active = null;
    this.plane = "axial";
    this.measure = null; // a distance: { slice, points }, of what is shown now
    this.finger = null; // the pixel whose CT number is told
    this.cross = false; // or that in the middle of the picture, for the keyboard
    this.showHeat = false;
    this.simulated = false;
    this.hand = new Hand(this);
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  // ---- what is shown

  clear() {
    Object.assign(this, { views: {}, view: "frames", plane: "axial", heat: null, marks: [], active: null });
    this.forget();
    this.fit();
    this.draw();
  }

  setVolume(view, volume) {
    const box = headBox(volume);
    const planes = {};
    for (const plane of ["axial", "coronal", "sagittal"]) {
      const seen = planeOf(volume, plane);
      planes[plane] = { ...seen, data: volume.data, slice: Math.floor(seen.shape[0] / 2), box: box[plane] };
    }
    this.views[view] = { ...planes, frameSlices: volume.frameSlices, resliced: mayReslice(volume) };
  }

  // What was measured on another slice is gone.
  forget() {
    Object.assign(this, { measure: null, finger: null });
  }

  // The other view opens at the same height of the head.
  setView(view) {
    const { frames, series } = this.views;
    if (view !== this.view && frames && series) {
      const { frameSlices } = series;
      if (view === "series") {
        const slice = Math.round(frameSlices[frames.axial.slice]);
        series.axial.slice = clamp(slice, 0, series.axial.shape[0] - 1);
      } else {
        const away = frameSlices.map((slice) => Math.abs(slice - series.axial.slice));
        frames.axial.slice = away.indexOf(Math.min(...away));
      }
    }
    this.view = view;
    if (!this.mayReslice) this.plane = "axial";
    this.active = null;
    this.forget();
    this.draw();
    this.changed("view");
  }

  get mayReslice() {
    return Boolean(this.views[this.view]?.resliced);
  }

  setPlane(plane) {
    if (plane !== "axial" && !this.mayReslice) return;
    this.plane = plane;
    this.active = null;
    this.forget();
    this.draw();
    this.changed("view");
  }

  // The plane that is shown, with the pixels of its scan.
  get volume() {
    return this.views[this.view]?.[this.plane];
  }

  isShown(mark) {
    return this.plane === "axial" && mark.view === this.view && mark.slice === this.volume?.slice;
  }

  setSlice(slice) {
    if (!this.volume) return;
    this.volume.slice = clamp(slice, 0, this.volume.shape[0] - 1);
    if (this.active && this.active.slice !== this.volume.slice) this.active = null;
    this.measure = null;
    this.draw();
    this.changed("view");
  }

  step(by) {
    if (this.volume) this.setSlice(this.volume.slice + by);
  }

  setWindow(width, level) {
    this.window = {
      width: clamp(Math.round(width), 1, 4000),
      level: clamp(Math.round(level), -1000, 3000),
    };
    this.draw();
    this.changed("view");
  }

  fit() {
    this.zoom = 1;
    this.pan = { x: 0, y: 0 };
    this.draw();
  }

  zoomBy(factor, at) {
    const { width, height } = this.canvas.getBoundingClientRect();
    const point = at ?? { x: width / 2, y: height / 2 };
    const zoom = clamp(this.zoom * factor, 0.5, 12);
    const ratio = zoom / this.zoom;
    const from = { x: point.x - width / 2, y: point.y - height / 2 };
    this.pan = {
      x: from.x - (from.x - this.pan.x) * ratio,
      y: from.y - (from.y - this.pan.y) * ratio,
    };
    this.zoom = zoom;
    this.draw();
  }

  panBy(x, y) {
    this.pan = { x: this.pan.x + x, y: this.pan.y + y };
    this.draw();
  }

  // ---- places

  place() {
    const { shape, spacing, box } = this.volume;
    const { width, height } = this.canvas.getBoundingClientRect();
    const [, sy, sx] = spacing;
    const fit = Math.min(
      width / ((box.right - box.left) * sx),
      (height - 56) / ((box.bottom - box.top) * sy),
    );
    const mm = fit * this.zoom;
    const left = width / 2 + this.pan.x - ((box.left + box.right) / 2) * sx * mm;
    const top = height / 2 + this.pan.y - ((box.top + box.bottom) / 2) * sy * mm;
    return { left, top, mm, sx, sy, columns: shape[2], rows: shape[1], width, height };
  }

  toScreen = ([x, y]) => {
    const at = this.place();
    return [at.left + x * at.sx * at.mm, at.top + y * at.sy * at.mm];
  };

  toPixel(event) {
    const at = this.place();
    const edge = this.canvas.getBoundingClientRect();
    const round = (value) => Math.round(value * 100) / 100;
    return [
      round(clamp((event.clientX - edge.left - at.left) / (at.sx * at.mm), 0, at.columns)),
      round(clamp((event.clientY - edge.top - at.top) / (at.sy * at.mm), 0, at.rows)),
    ];
  }

  // ---- drawing

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.paint();
    });
  }

  paint() {
    const { canvas } = this;
    const { width, height } = canvas.getBoundingClientRect();
    const dots = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * dots) || canvas.height !== Math.round(height * dots)) {
      canvas.width = Math.round(width * dots);
      canvas.height = Math.round(height * dots);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, width, height);
    if (!this.volume || !width) return;
    const at = this.place();
    const size = [at.columns * at.sx * at.mm, at.rows * at.sy * at.mm];
    pen.imageSmoothingQuality = "high";
    const blank = this.fillPaper();
    pen.drawImage(this.paper, at.left, at.top, ...size);
    if (this.heatShown) {
      this.fillFilm();
      pen.drawImage(this.film, at.left, at.top, ...size);
    }
    for (const mark of this.marks) {
      if (this.isShown(mark)) drawMark(pen, mark, this.toScreen, at.sx * at.mm, mark === this.active);
    }
    if (this.measure) this.drawMeasure(pen);
    if (this.cross) this.drawCross(pen, at);
    this.output.textContent = this.told;
    this.label(pen, at, blank);
  }

  get heatShown() {
    return this.showHeat && this.heat && this.view === "frames" && this.plane === "axial";
  }

  // One slice through the window; tells whether nothing of the scan is in it.
  fillPaper() {
    const { data, shape, slice, from, strides } = this.volume;
    const [, rows, columns] = shape;
    if (this.paper.width !== columns || this.paper.height !== rows) {
      Object.assign(this.paper, { width: columns, height: rows });
    }
    const pen = this.paper.getContext("2d");
    const picture = pen.createImageData(columns, rows);
    const out = new Uint32Array(picture.data.buffer);
    const greys = this.greys();
    let highest = LOWEST;
    for (let y = 0; y < rows; y += 1) {
      let place = from + slice * strides[0] + y * strides[1];
      for (let x = 0; x < columns; x += 1, place += strides[2]) {
        const hu = data[place];
        if (hu > highest) highest = hu;
        out[y * columns + x] = greys[hu - LOWEST];
      }
    }
    pen.putImageData(picture, 0, 0);
    return highest === LOWEST;
  }

  greys() {
    const { width, level } = this.window;
    const key = `${width}/${level}`;
    if (this.greysFor !== key) {
      this.greysFor = key;
      this.greyTable = new Uint32Array(HIGHEST - LOWEST + 1);
      const low = level - width / 2;
      for (let i = 0; i < this.greyTable.length; i += 1) {
        const grey = Math.round(clamp((i + LOWEST - low) / width, 0, 1) * 255);
        this.greyTable[i] = (0xff000000 | (grey << 16) | (grey << 8) | grey) >>> 0;
      }
    }
    return this.greyTable;
  }

  fillFilm() {
    const { shades, shape, colours } = this.heat;
    const [, rows, columns] = shape;
    Object.assign(this.film, { width: columns, height: rows });
    const pen = this.film.getContext("2d");
    const picture = pen.createImageData(columns, rows);
    const from = this.volume.slice * rows * columns;
    for (let i = 0; i < rows * columns; i += 1) {
      picture.data.set(colours[shades[from + i]], 4 * i);
    }
    pen.putImageData(picture, 0, 0);
  }

  label(pen, at, blank) {
    const { width, height } = at;
    const text = (words, x, y, align = "left", font = "14px system-ui, sans-serif") => {
      Object.assign(pen, { font, textAlign: align, textBaseline: "middle", lineWidth: 3 });
      pen.strokeStyle = "#000";
      pen.strokeText(words, x, y);
      pen.fillText(words, x, y);
    };
    pen.fillStyle = "#d6dde4";
    const [left, right, top, bottom] = this.volume.edges;
    text(left, 12, height / 2, "left", "600 20px system-ui, sans-serif");
    text(right, width - 12, height / 2, "right", "600 20px system-ui, sans-serif");
    text(top, width / 2, 16, "center");
    text(bottom, width / 2, height - 16, "center");
    text(this.sliceText, 12, 16);
    text(`W ${this.window.width}  L ${this.window.level}`, width - 12, height - 16, "right");
    if (blank) text("beyond the scan", width / 2, height / 2, "center", "18px system-ui, sans-serif");
    this.ruler(pen, at, text);
    if (this.heatShown) this.scale(pen, at, text);
    pen.fillStyle = "#ffc247";
    if (this.simulated) text("SIMULATED", width - 12, 16, "right", "600 14px system-ui, sans-serif");
  }

  ruler(pen, at, text) {
    const cm = at.mm * 10;
    const count = [10, 5, 2, 1].find((n) => n * cm < at.width / 3) ?? 1;
    const y = at.height - 14;
    pen.beginPath();
    pen.moveTo(14, y);
    pen.lineTo(14 + count * cm, y);
    for (let i = 0; i <= count; i += 1) {
      pen.moveTo(14 + i * cm, y);
      pen.lineTo(14 + i * cm, y - (i % count ? 5 : 9));
    }
    Object.assign(pen, { strokeStyle: "#d6dde4", lineWidth: 1.5 });
    pen.stroke();
    text(`${count} cm`, 22 + count * cm, y - 2);
  }

  scale(pen, at, text) {
    const left = at.width - 164;
    const y = at.height - 52;
    this.heat.colours.forEach(([r, g, b, a], i) => {
      pen.fillStyle = `rgb(${[r, g, b].map((c) => (c * a + 110 * (255 - a)) / 255).join(" ")})`;
      pen.fillRect(left + (i * 120) / 256, y, 1, 10);
    });
    pen.fillStyle = "#d6dde4";
    text("0", left - 4, y + 5, "right");
    text(String(this.heat.top), left + 126, y + 5);
    text("model: evidence for HT, log-odds per cm³", at.width - 12, y - 12, "right", "12px system-ui, sans-serif");
  }

  get sliceText() {
    if (!this.volume) return "";
    const noun = { axial: this.view === "frames" ? "Frame" : "Slice", coronal: "Coronal", sagittal: "Sagittal" };
    return `${noun[this.plane]} ${this.volume.slice + 1} / ${this.volume.shape[0]}`;
  }

  // ---- CT numbers and distances

  get told() {
    const said = [];
    const { volume } = this;
    const at = this.cross ? this.middle() : this.finger;
    const found = at && probe(volume.data, volume, volume.slice, at);
    if (found) said.push(`${minus(found.hu)} HU, mean of 3 × 3 pixels ${minus(found.mean)}`);
    const line = this.measure ?? (this.active?.points.length === 2 ? this.active : null);
    if (line) said.push(this.lengths(line));
    return said.join("; ");
  }

  lengths({ points: [[x0, y0], [x1, y1]], shape }) {
    const [, sy, sx] = this.volume.spacing;
    const [wide, high] = [Math.abs(x1 - x0) * sx, Math.abs(y1 - y0) * sy];
    if (shape) return `${wide.toFixed(0)} × ${high.toFixed(0)} mm`;
    return `${Math.hypot(wide, high).toFixed(1)} mm`;
  }

  middle() {
    const at = this.place();
    return [(at.width / 2 - at.left) / (at.sx * at.mm), (at.height / 2 - at.top) / (at.sy * at.mm)];
  }

  point(pixel) {
    this.finger = pixel;
    this.draw();
  }

  toggleCross() {
    this.cross = !this.cross;
    this.draw();
  }

  drawMeasure(pen) {
    const [[x0, y0], [x1, y1]] = this.measure.points.map(this.toScreen);
    const line = new Path2D();
    line.moveTo(x0, y0);
    line.lineTo(x1, y1);
    for (const [x, y] of [[x0, y0], [x1, y1]]) {
      line.moveTo(x + 4, y);
      line.arc(x, y, 4, 0, 2 * Math.PI);
    }
    twice(pen, line);
  }

  drawCross(pen, { width, height }) {
    const line = new Path2D();
    for (const [x, y] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      line.moveTo(width / 2 + 4 * x, height / 2 + 4 * y);
      line.lineTo(width / 2 + 14 * x, height / 2 + 14 * y);
    }
    twice(pen, line);
  }

  // ---- marks

  setTool(tool) {
    this.tool = tool;
    this.canvas.classList.toggle("marking", tool !== null);
  }

  // A mark for the keyboard, in the middle of what is seen, 30 mm wide.
  placeMark(shape) {
    if (!this.volume || this.plane !== "axial") return;
    const at = this.place();
    const [x, y] = this.middle();
    const [half, high] = [15 / at.sx, 15 / at.sy];
    this.active = newMark(this, shape, [x - half, y - high]);
    this.active.points.push([x + half, y + high]);
    this.keepInside(this.active);
    this.marks.push(this.active);
    this.draw();
    this.changed("marks");
  }

  // Move the active mark by pixels, or its lower right corner alone.
  nudge(x, y, corner) {
    if (!this.active) return;
    const { points } = this.active;
    const moved = corner ? [points[0], shift(points[1], x, y)] : points.map((p) => shift(p, x, y));
    if (moved[1][0] - moved[0][0] < 2 || moved[1][1] - moved[0][1] < 2) return;
    this.active.points = moved;
    this.keepInside(this.active);
    this.draw();
    this.changed("marks");
  }

  keepInside(mark) {
    const [, rows, columns] = this.volume.shape;
    const round = (value, high) => Math.round(clamp(value, 0, high) * 100) / 100;
    mark.points = mark.points.map(([x, y]) => [round(x, columns), round(y, rows)]);
  }

  removeMark(mark) {
    this.marks.splice(this.marks.indexOf(mark), 1);
    if (this.active === mark) this.active = null;
    this.draw();
    this.changed("marks");
  }
}

const minus = (value) => String(value).replace("-", "\u2212");

// Dark under light: seen on bone and on brain.
function twice(pen, line) {
  for (const [strokeStyle, lineWidth] of [["#000", 4.5], ["#8fdc9c", 2]]) {
    Object.assign(pen, { strokeStyle, lineWidth });
    pen.stroke(line);
  }
}

const shift = ([x, y], by, down) => [x + by, y + down];

// Where the head is in any slice of each plane, so that it fills the canvas.
function headBox({ data, shape }) {
  const [slices, rows, columns] = shape;
  const low = [slices, rows, columns];
  const high = [0, 0, 0];
  for (let z = 0; z < slices; z += 2) {
    for (let y = 0; y < rows; y += 4) {
      const from = (z * rows + y) * columns;
      for (let x = 0; x < columns; x += 4) {
        if (data[from + x] > SKIN_HU) {
          [z, y, x].forEach((place, axis) => {
            low[axis] = Math.min(low[axis], place);
            high[axis] = Math.max(high[axis], place + 1);
          });
        }
      }
    }
  }
  if (high[2] <= low[2]) {
    low.fill(0);
    high.splice(0, 3, slices, rows, columns);
  }
  const span = (axis) => [Math.max(0, low[axis] - 6), Math.min(shape[axis], high[axis] + 6)];
  const box = ([left, right], [top, bottom]) => ({ left, right, top, bottom });
  return {
    axial: box(span(2), span(1)), coronal: box(span(2), [0, slices]), sagittal: box(span(1), [0, slices]),
  };
}
