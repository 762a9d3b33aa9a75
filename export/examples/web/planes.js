// Between a canvas's RGBA bytes and the model's float32 planes [1, 3, H, W] in [0, 1].

const SMALLEST = 16; // the model's smallest side

/** [planes, shape] of ImageData, reflected at the right and bottom up to a multiple of `stride`. */
export function planar({ data, width, height }, stride) {
  const full = (size) => Math.max(SMALLEST, Math.ceil(size / stride) * stride);
  const [columns, rows] = [full(width), full(height)];
  const area = rows * columns;
  const planes = new Float32Array(3 * area);
  const across = Array.from({ length: columns }, (_, x) => 4 * reflect(x, width));
  for (let y = 0, to = 0; y < rows; y++) {
    const row = 4 * width * reflect(y, height);
    for (let x = 0; x < columns; x++, to++) {
      const from = row + across[x];
      planes[to] = data[from] / 255;
      planes[to + area] = data[from + 1] / 255;
      planes[to + 2 * area] = data[from + 2] / 255;
    }
  }
  return [planes, [1, 3, rows, columns]];
}

/** Opaque RGBA bytes of the upper left width x height pixels of a tensor [1, 3, H, W]. */
export function interleaved({ data, dims: [, , rows, columns] }, width, height) {
  const area = rows * columns;
  const bytes = new Uint8ClampedArray(4 * width * height).fill(255); // rounds, too
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0, from = y * columns; x < width; x++, from++, to += 4) {
      bytes[to] = 255 * data[from];
      bytes[to + 1] = 255 * data[from + area];
      bytes[to + 2] = 255 * data[from + 2 * area];
    }
  }
  return bytes;
}

/** The pixel that stands at `index` when `size` pixels are mirrored without repeating the last. */
function reflect(index, size) {
  if (size === 1) return 0;
  const at = index % (2 * size - 2);
  return at < size ? at : 2 * size - 2 - at;
}
