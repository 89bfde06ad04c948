// Mouse, pen, fingers and wheel on the scan.

import { newMark } from "./marks.js";

export class Hand {
  constructor(viewer) {
    this.viewer = viewer;
    this.pointers = new Map();
    this.rest = 0;
    this.job = null;
    this.stroke = null;
    this.listen();
  }

  listen() {
    const { canvas } = this.viewer;
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    canvas.addEventListener("pointermove", (event) => this.onMove(event));
    canvas.addEventListener("pointerleave", () => this.viewer.point(null));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => this.onUp(event));
    }
  }

  onWheel(event) {
    event.preventDefault();
    if (!this.viewer.volume) return;
    if (event.ctrlKey) {
      this.viewer.zoomBy(Math.exp(-event.deltaY / 300), { x: event.offsetX, y: event.offsetY });
      return;
    }
    // A mouse moves in notches, a touchpad in many small steps.
    this.rest += Math.abs(event.deltaY) >= 50 ? 40 * Math.sign(event.deltaY) : event.deltaY;
    const steps = Math.trunc(this.rest / 40);
    this.rest -= 40 * steps;
    if (steps) this.viewer.step(-steps);
  }

  onDown(event) {
    if (!this.viewer.volume) return;
    this.viewer.canvas.focus();
    this.viewer.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.viewer.point(this.viewer.toPixel(event));
    this.stroke = null;
    if (this.pointers.size > 1) {
      this.dropDrawn();
      this.job = "pinch";
    } else if (this.viewer.tool === "distance" && event.button === 0) {
      this.job = "measure";
      const from = this.viewer.toPixel(event);
      this.viewer.measure = { points: [from, from] };
      this.viewer.draw();
    } else if (this.viewer.tool && event.button === 0 && this.viewer.plane === "axial") {
      this.job = "mark";
      this.viewer.active = null;
      this.stroke = newMark(this.viewer, this.viewer.tool, this.viewer.toPixel(event));
      this.viewer.marks.push(this.stroke);
    } else if (event.pointerType === "touch") {
      this.job = "scroll";
    } else {
      this.job = event.button === 0 && !event.shiftKey ? "window" : "pan";
    }
  }

  onMove(event) {
    if (!this.viewer.volume) return;
    if (this.job !== "pinch") this.viewer.point(this.viewer.toPixel(event));
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const x = event.clientX - last.x;
    const y = event.clientY - last.y;
    if (this.job === "pinch") this.pinch(event);
    else if (this.job === "pan") this.viewer.panBy(x, y);
    else if (this.job === "window") this.viewer.setWindow(this.viewer.window.width + x / 2, this.viewer.window.level - y / 2);
    else if (this.job === "mark") this.drag(event);
    else if (this.job === "measure" && this.viewer.measure) {
      this.viewer.measure.points[1] = this.viewer.toPixel(event);
      this.viewer.draw();
    }
    else if (this.job === "scroll") {
      if (Math.abs(y) < 14) return;
      this.viewer.step(-Math.sign(y));
    }
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  pinch(event) {
    const [a, b] = [...this.pointers.entries()];
    if (!b) return;
    const other = a[0] === event.pointerId ? b[1] : a[1];
    const last = this.pointers.get(event.pointerId);
    const edge = this.viewer.canvas.getBoundingClientRect();
    const span = (x, y) => Math.hypot(x - other.x, y - other.y) || 1;
    const at = {
      x: (event.clientX + other.x) / 2 - edge.left,
      y: (event.clientY + other.y) / 2 - edge.top,
    };
    this.viewer.panBy((event.clientX - last.x) / 2, (event.clientY - last.y) / 2);
    this.viewer.zoomBy(span(event.clientX, event.clientY) / span(last.x, last.y), at);
  }

  drag(event) {
    const { stroke } = this;
    if (!stroke) return;
    const point = this.viewer.toPixel(event);
    if (stroke.shape === "brush") {
      const [x, y] = stroke.points.at(-1);
      if (Math.hypot(point[0] - x, point[1] - y) > 0.7 && stroke.points.length < 2000) {
        stroke.points.push(point);
      }
    } else {
      stroke.points[1] = point;
    }
    this.viewer.draw();
  }

  onUp(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { stroke } = this;
    this.stroke = null;
    if (!stroke) return;
    const [[x0, y0], [x1, y1] = [0, 0]] = stroke.points;
    const slip = stroke.points.length < 2 || Math.hypot(x1 - x0, y1 - y0) < 3;
    if (event.type === "pointercancel" || (stroke.shape !== "brush" && slip)) {
      this.viewer.marks.splice(this.viewer.marks.indexOf(stroke), 1);
    } else {
      if (stroke.shape !== "brush") {
        stroke.points = [
          [Math.min(x0, x1), Math.min(y0, y1)],
          [Math.max(x0, x1), Math.max(y0, y1)],
        ];
      }
      this.viewer.changed("marks");
    }
    this.viewer.draw();
  }

  // A second finger came down: what the first began was no mark.
  dropDrawn() {
    if (this.job === "mark" && this.viewer.marks.length) this.viewer.marks.pop();
    this.viewer.draw();
  }
}
