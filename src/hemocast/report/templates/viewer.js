"use strict";
// One viewer: three canvases that cut one scan, made of the frames of the grey sprite, and the
// heatmap's sprite over them.
const ZOOM = 3;
const LINE = "#6cc4d3";

// The pixels of a sprite, frame by frame: one byte in four for grey, all four for colours.
function volumeOf(image, { width, height, columns, frames }) {
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [image.naturalWidth, image.naturalHeight];
  const pen = sheet.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  const all = [];
  for (let index = 0; index < frames; index += 1) {
    const [x, y] = [(index % columns) * width, Math.floor(index / columns) * height];
    all.push(pen.getImageData(x, y, width, height).data);
  }
  return all;
}

for (const viewer of document.querySelectorAll("[data-viewer]")) {
  const id = viewer.dataset.viewer;
  const plate = document.getElementById("plate-" + id);
  const large = document.getElementById("large-" + id);
  const [grey, heat] = ["grey-", "heat-"].map((name) => {
    const image = new Image();
    image.src = document.getElementById(name + id).getAttribute("href");
    return image;
  });
  const { width, height, columns, frames, mm, pixel, low, high } = Object.fromEntries(
    Object.entries(viewer.dataset).map(([key, value]) => [key, Number(value)]));
  const windowed = viewer.dataset.low !== undefined;
  const [frame, shown, opacity, darkest, brightest] = ["frame", "shown", "opacity", "low", "high"]
    .map((name) => viewer.querySelector(`[name=${name}]`));
  const label = viewer.querySelector("[data-label]");
  const probe = viewer.querySelector("[data-hu]");
  const chosen = plate.querySelector(".chosen");
  const outlines = plate.querySelectorAll(".lesion");
  const tiles = plate.querySelectorAll(".tile");
  const tall = frames * mm / pixel;
  const at = { x: Math.floor(width / 2), y: Math.floor(height / 2) };
  let greys = [];
  let heats = [];

  // What each plane shows: its pixels (columns, rows), the side of a pixel on the screen, and which
  // voxel (x, y, frame) lies at a pixel.
  const planes = {
    axial: { size: [width, height], shape: [width, height], voxel: (c, r) => [c, r, Number(frame.value) - 1] },
    coronal: { size: [width, frames], shape: [width, tall], voxel: (c, r) => [c, at.y, frames - 1 - r] },
    sagittal: { size: [height, frames], shape: [height, tall], voxel: (c, r) => [at.x, c, frames - 1 - r] },
  };
  for (const [name, plane] of Object.entries(planes)) {
    plane.canvas = viewer.querySelector(`[data-plane=${name}]`);
    [plane.canvas.width, plane.canvas.height] = plane.shape.map((side) => Math.round(side * ZOOM));
    plane.pen = plane.canvas.getContext("2d");
    plane.cut = document.createElement("canvas");
    [plane.cut.width, plane.cut.height] = plane.size;
    plane.cutPen = plane.cut.getContext("2d");
  }

  const shades = () => {
    if (!windowed) return Uint8ClampedArray.from({ length: 256 }, (_, level) => level);
    const [from, to] = [Number(darkest.value), Number(brightest.value)];
    return Uint8ClampedArray.from({ length: 256 }, (_, level) => (
      (low + (high - low) * level / 255 - from) / Math.max(to - from, 1) * 255));
  };
  const paint = (plane, pixelAt) => {
    const [across, down] = plane.size;
    const picture = plane.cutPen.createImageData(across, down);
    for (let r = 0; r < down; r += 1) {
      for (let c = 0; c < across; c += 1) picture.data.set(pixelAt(...plane.voxel(c, r)), 4 * (r * across + c));
    }
    plane.cutPen.putImageData(picture, 0, 0);
    plane.pen.drawImage(plane.cut, 0, 0, plane.canvas.width, plane.canvas.height);
  };
  // Where the other two planes cut this one: lines from the edges, `reach` of the way across.
  const lines = (plane, c, r, reach) => {
    const { pen, canvas } = plane;
    const [x, y] = [(c + 0.5) * canvas.width / plane.size[0], (r + 0.5) * canvas.height / plane.size[1]];
    pen.strokeStyle = LINE;
    pen.globalAlpha = 0.7;
    pen.lineWidth = 2;
    pen.beginPath();
    for (const [from, to] of [[0, reach], [1 - reach, 1]]) {
      pen.moveTo(x, from * canvas.height);
      pen.lineTo(x, to * canvas.height);
      pen.moveTo(from * canvas.width, y);
      pen.lineTo(to * canvas.width, y);
    }
    pen.stroke();
  };
  const trace = ({ pen }, outline) => {
    if (!outline) return;
    pen.save();
    pen.globalAlpha = 1;
    pen.scale(ZOOM, ZOOM);
    pen.strokeStyle = "#53e0ff";
    pen.stroke(new Path2D(outline));
    pen.restore();
  };
  const draw = () => {
    const index = Number(frame.value) - 1;
    const table = shades();
    const overlay = shown.checked ? Number(opacity.value) / 100 : 0;
    for (const plane of Object.values(planes)) {
      plane.pen.imageSmoothingQuality = "high";
      plane.pen.globalAlpha = 1;
      paint(plane, (x, y, z) => {
        const level = table[greys[z][4 * (y * width + x)]];
        return [level, level, level, 255];
      });
      plane.pen.globalAlpha = overlay;
      if (overlay) paint(plane, (x, y, z) => heats[z].subarray(4 * (y * width + x), 4 * (y * width + x) + 4));
    }
    if (shown.checked) trace(planes.axial, outlines[index] && outlines[index].getAttribute("d"));
    lines(planes.axial, at.x, at.y, 0.04);
    lines(planes.coronal, at.x, frames - 1 - index, 0.5);
    lines(planes.sagittal, at.y, frames - 1 - index, 0.5);
    if (windowed) {
      for (const [name, end] of [["low", darkest], ["high", brightest]]) {
        viewer.querySelector(`[data-of=${name}]`).textContent = end.value;
      }
      const width_hu = Math.max(brightest.value - darkest.value, 1);
      for (const part of document.getElementById("window-" + id).firstElementChild.children) {
        part.setAttribute("slope", (high - low) / width_hu);
        part.setAttribute("intercept", (low - darkest.value) / width_hu);
      }
    }
    const text = viewer.dataset.saysFrame.replace("{number}", index + 1)
      .replace("{mm}", Math.round(index * mm)) + (tiles[index].dataset.blank && ", " + tiles[index].dataset.blank);
    label.textContent = text;
    frame.setAttribute("aria-valuetext", text);
    for (const side of ["x", "y"]) chosen.setAttribute(side, tiles[index].getAttribute(side));
  };
  // The hottest pixel of the frame that the page opens with; without heat, the middle.
  const hottest = () => {
    const alphas = heats[Number(frame.value) - 1].filter((_, byte) => byte % 4 === 3);
    const most = alphas.reduce((best, alpha, i) => (alpha > alphas[best] ? i : best), 0);
    if (alphas[most]) [at.x, at.y] = [most % width, Math.floor(most / width)];
  };
  const clamp = (value, n) => Math.min(Math.max(value, 0), n - 1);
  const go = (to) => {
    frame.value = to;
    draw();
  };
  const moves = {
    axial: (step) => go(Number(frame.value) + step),
    coronal: (step) => { at.y = clamp(at.y - step, height); draw(); },
    sagittal: (step) => { at.x = clamp(at.x + step, width); draw(); },
  };
  const under = (plane, event) => {
    const box = plane.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
      .map((share, i) => clamp(Math.floor(share * plane.size[i]), plane.size[i]));
  };

  for (const control of [frame, shown, opacity]) control.addEventListener("input", draw);
  if (windowed) {
    // One end of the window pushes the other before it.
    darkest.addEventListener("input", () => {
      brightest.value = Math.max(Number(brightest.value), Number(darkest.value) + 1);
      draw();
    });
    brightest.addEventListener("input", () => {
      darkest.value = Math.min(Number(darkest.value), Number(brightest.value) - 1);
      draw();
    });
  }
  for (const [name, plane] of Object.entries(planes)) {
    plane.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.deltaY) moves[name](event.deltaY > 0 ? -1 : 1);
    }, { passive: false });
    plane.canvas.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5,
        Home: -1000, End: 1000 };
      if (event.key in steps) moves[name](steps[event.key]);
      else if (event.key === "h" || event.key === "H") { shown.checked = !shown.checked; draw(); }
      else return;
      event.preventDefault();
    });
    plane.canvas.addEventListener("click", (event) => {
      const [x, y, z] = plane.voxel(...under(plane, event));
      [at.x, at.y] = [x, y];
      go(z + 1);
    });
    plane.canvas.addEventListener("pointermove", (event) => {
      if (!windowed) return;
      const [x, y, z] = plane.voxel(...under(plane, event));
      const level = greys[z][4 * (y * width + x)];
      const hu = Math.round(low + (high - low) * level / 255);
      const sign = level === 0 ? "≤ " : level === 255 ? "≥ " : "";
      probe.textContent = viewer.dataset.saysHu.replace("{hu}", sign + hu);
    });
    plane.canvas.addEventListener("pointerleave", () => { probe.textContent = ""; });
  }
  tiles.forEach((tile, index) => {
    tile.addEventListener("click", () => {
      go(index + 1);
      planes.axial.canvas.focus({ preventScroll: true });
      planes.axial.canvas.scrollIntoView({ block: "nearest" });
    });
  });
  for (const place of document.querySelectorAll(`[data-place="${id}"]`)) {
    place.addEventListener("click", () => {
      go(place.dataset.frame);
      planes.axial.canvas.focus();
    });
  }
  Promise.all([grey.decode(), heat.decode()]).then(() => {
    [greys, heats] = [grey, heat].map((image) => volumeOf(image, { width, height, columns, frames }));
    hottest();
    viewer.hidden = false;
    if (large) large.classList.add("paper");
    draw();
  });
}
