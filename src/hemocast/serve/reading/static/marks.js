// Marked regions: what they are and how they look.

const BRUSH_MM = 4;

export function newMark(viewer, shape, point) {
  const { spacing, slice } = viewer.volume;
  return {
    view: viewer.view,
    slice,
    shape,
    points: [point],
    radius: shape === "brush" ? Math.round((BRUSH_MM / spacing[2]) * 100) / 100 : 0,
  };
}

export function drawMark(pen, mark, toScreen, pixel, active) {
  const points = mark.points.map(toScreen);
  pen.save();
  pen.lineJoin = "round";
  pen.lineCap = "round";
  if (mark.shape === "brush") {
    pen.beginPath();
    points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    if (points.length === 1) pen.lineTo(points[0][0] + 0.1, points[0][1]);
    pen.strokeStyle = "rgb(124 192 255 / .38)";
    pen.lineWidth = 2 * mark.radius * pixel;
    pen.stroke();
  } else if (points.length > 1) {
    const [[x0, y0], [x1, y1]] = points;
    const outline = new Path2D();
    if (mark.shape === "box") outline.rect(x0, y0, x1 - x0, y1 - y0);
    else {
      const half = [Math.abs(x1 - x0) / 2, Math.abs(y1 - y0) / 2];
      outline.ellipse((x0 + x1) / 2, (y0 + y1) / 2, ...half, 0, 0, 2 * Math.PI);
    }
    // Dark under light: seen on bone and on brain.
    Object.assign(pen, { strokeStyle: "#000", lineWidth: 4.5 });
    pen.stroke(outline);
    if (active) pen.setLineDash([8, 5]);
    Object.assign(pen, { strokeStyle: active ? "#ffc247" : "#7cc0ff", lineWidth: 2.5 });
    pen.stroke(outline);
  }
  pen.restore();
}

export function nameOf(mark) {
  const shape = { ellipse: "Ellipse", box: "Box", brush: "Brush" }[mark.shape];
  return `${shape}, ${mark.view === "frames" ? "frame" : "full series, slice"} ${mark.slice + 1}`;
}
