"use strict";
// One viewer: a canvas that draws a frame of the grey sprite, and of the heatmap's sprite over it.
for (const viewer of document.querySelectorAll("[data-viewer]")) {
  const id = viewer.dataset.viewer;
  const plate = document.getElementById("plate-" + id);
  const [grey, heat] = ["grey-", "heat-"].map((name) => {
    const image = new Image();
    image.src = document.getElementById(name + id).getAttribute("href");
    return image;
  });
  const { width, height, columns, frames, mm } = Object.fromEntries(
    Object.entries(viewer.dataset).map(([key, value]) => [key, Number(value)]));
  const canvas = viewer.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const frame = viewer.querySelector("[name=frame]");
  const shown = viewer.querySelector("[name=shown]");
  const opacity = viewer.querySelector("[name=opacity]");
  const label = viewer.querySelector("[data-label]");
  const chosen = plate.querySelector(".chosen");
  const outlines = plate.querySelectorAll(".lesion");
  const tiles = plate.querySelectorAll(".tile");
  const ZOOM = 3;
  canvas.width = width * ZOOM;
  canvas.height = height * ZOOM;

  const draw = () => {
    const index = Number(frame.value) - 1;
    const at = [index % columns, Math.floor(index / columns)];
    const from = [at[0] * width, at[1] * height, width, height];
    const to = [0, 0, canvas.width, canvas.height];
    pen.globalAlpha = 1;
    pen.fillStyle = "#000";
    pen.fillRect(...to);
    pen.imageSmoothingEnabled = true;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(grey, ...from, ...to);
    if (shown.checked) {
      pen.globalAlpha = Number(opacity.value) / 100;
      pen.drawImage(heat, ...from, ...to);
      const outline = outlines[index] && outlines[index].getAttribute("d");
      if (outline) {
        pen.save();
        pen.globalAlpha = 1;
        pen.scale(ZOOM, ZOOM);
        pen.strokeStyle = "#53e0ff";
        pen.stroke(new Path2D(outline));
        pen.restore();
      }
    }
    const text = `Frame ${index + 1} of ${frames}, ${Math.round(index * mm)} mm` +
      (tiles[index].dataset.blank && ", " + tiles[index].dataset.blank);
    label.textContent = text;
    frame.setAttribute("aria-valuetext", text);
    for (const side of ["x", "y"]) chosen.setAttribute(side, tiles[index].getAttribute(side));
  };
  const move = (step) => {
    frame.value = Number(frame.value) + step;
    draw();
  };

  for (const control of [frame, shown, opacity]) control.addEventListener("input", draw);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.deltaY) move(event.deltaY > 0 ? -1 : 1);
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5,
      Home: -frames, End: frames };
    if (event.key in steps) move(steps[event.key]);
    else if (event.key === "h" || event.key === "H") { shown.checked = !shown.checked; draw(); }
    else return;
    event.preventDefault();
  });
  tiles.forEach((tile, index) => {
    tile.addEventListener("click", () => {
      frame.value = index + 1;
      draw();
      canvas.focus({ preventScroll: true });
    });
  });
  for (const place of document.querySelectorAll(`[data-place="${id}"]`)) {
    place.addEventListener("click", () => {
      frame.value = place.dataset.frame;
      draw();
      canvas.focus();
    });
  }
  Promise.all([grey.decode(), heat.decode()]).then(() => { viewer.hidden = false; draw(); });
}
