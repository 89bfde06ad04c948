// A volume seen in three planes, without copying it: where a plane's slices, rows and columns lie.

export const PLANES = ["axial", "coronal", "sagittal"];
const THICKEST_MM = 5;
const LEAST_MM = 60;

// Thicker slices, or fewer, would make a picture of steps.
export function mayReslice({ shape, spacing }) {
  return spacing[0] <= THICKEST_MM + 0.01 && shape[0] * spacing[0] >= LEAST_MM;
}

// Coronal and sagittal pictures have the head upright; sagittal ones look to the left of the page.
export function planeOf(volume, plane) {
  const [depth, rows, columns] = volume.shape;
  const [dz, dy, dx] = volume.spacing;
  const size = rows * columns;
  const top = (depth - 1) * size;
  return {
    axial: {
      shape: volume.shape, spacing: volume.spacing, from: 0, strides: [size, columns, 1],
      edges: ["R", "L", "A", ""],
    },
    coronal: {
      shape: [rows, depth, columns], spacing: [dy, dz, dx], from: top, strides: [columns, -size, 1],
      edges: ["R", "L", "S", "I"],
    },
    sagittal: {
      shape: [columns, depth, rows], spacing: [dx, dz, dy], from: top, strides: [1, -size, columns],
      edges: ["A", "P", "S", "I"],
    },
  }[plane];
}

// The CT number at a pixel (x, y) of a plane's slice, and the mean of the nine about it; null outside.
export function probe(data, { shape, from, strides }, slice, [x, y]) {
  const [, rows, columns] = shape;
  const [column, row] = [Math.floor(x), Math.floor(y)];
  if (row < 0 || column < 0 || row >= rows || column >= columns) return null;
  const at = (r, c) => data[from + slice * strides[0] + r * strides[1] + c * strides[2]];
  const near = [];
  for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r += 1) {
    for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c += 1) near.push(at(r, c));
  }
  const mean = near.reduce((sum, hu) => sum + hu, 0) / near.length;
  return { hu: at(row, column), mean: Math.round(mean) };
}
