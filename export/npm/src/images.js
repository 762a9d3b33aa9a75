// Pictures as RGBA levels of 0 to 255, checked; and what the model is shown of them.
import { briefly, foundError } from './errors.js';

/** {data: RGBA, width, height} of RGB or RGBA pixels; `others` are what else is allowed. */
export function checked(image, others) {
  const { data, width, height } = image ?? {};
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  const allowed = `{data, width, height} with RGB or RGBA bytes${others}`;
  if (!isBytes) throw foundError('image', briefly(image), allowed);
  const isSize = [width, height].every((side) => Number.isInteger(side) && side > 0);
  const pixels = isSize ? width * height : 0;
  const channels = data.length / pixels;
  if (channels === 4) return { data, width, height };
  if (channels !== 3) {
    throw foundError('image', `${data.length} bytes for ${width} x ${height} pixels`, allowed);
  }
  const rgba = new Uint8ClampedArray(4 * pixels).fill(255);
  for (let k = 0, from = 0; k < rgba.length; k += 4, from += 3) {
    rgba[k] = data[from];
    rgba[k + 1] = data[from + 1];
    rgba[k + 2] = data[from + 2];
  }
  return { data: rgba, width, height };
}

/** At most `maxSide` pixels a side, by Lanczos' filter; colours are weighted by alpha. */
export function fitted(picture, maxSide) {
  const { data, width, height } = picture;
  const longest = Math.max(width, height);
  if (longest <= maxSide) return picture;
  const [columns, rows] = [width, height].map((side) =>
    Math.max(1, Math.floor((side * maxSide + Math.floor(longest / 2)) / longest)),
  );
  const weighted = new Float32Array(data);
  for (let k = 0; k < data.length; k++) if (k % 4 < 3) weighted[k] *= data[k | 3] / 255;
  const across = resampled(weighted, height, width, 1, columns);
  const small = resampled(across, columns, height, columns, rows);
  // Below half a level of alpha the quotient is noise, and the pixel is invisible.
  const share = small.map((_, k) => (small[k | 3] > 0.5 ? small[k | 3] / 255 : 1));
  const clipped = small.map((v, k) => Math.min(255, Math.max(0, k % 4 === 3 ? v : v / share[k])));
  return { data: clipped, width: columns, height: rows };
}

/** `lines` of `size` RGBA pixels, `step` pixels from one to the next, each brought to `wanted`. */
function resampled(data, lines, size, step, wanted) {
  const result = new Float32Array(4 * lines * wanted);
  const scale = size / wanted;
  const support = 3 * Math.max(scale, 1);
  const stride = 4 * step;
  for (let to = 0; to < wanted; to++) {
    const centre = (to + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(size, Math.trunc(centre + support + 0.5));
    const taps = [];
    for (let x = first; x < last; x++) taps.push(lanczos((x - centre + 0.5) / Math.max(scale, 1)));
    const total = taps.reduce((sum, tap) => sum + tap, 0);
    for (let line = 0; line < lines; line++) {
      const from = step === 1 ? line * size : line;
      const into = step === 1 ? line * wanted + to : line + to * step;
      for (let channel = 0; channel < 4; channel++) {
        let value = 0;
        let at = 4 * (from + first * step) + channel;
        for (let k = 0; k < taps.length; k++, at += stride) value += taps[k] * data[at];
        result[4 * into + channel] = value / total;
      }
    }
  }
  return result;
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const lanczos = (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0);

/** New colours where alpha is 0: those around go on (pull-push, Gortler et al. 1996). */
export function filled(picture) {
  const { data, width, height } = picture;
  const hidden = (k) => data[4 * k + 3] < 0.5;
  const pixels = width * height;
  const level = new Float32Array(4 * pixels); // colours times weights, and weights
  let [some, all] = [false, true];
  for (let k = 0; k < pixels; k++) {
    if (hidden(k)) {
      some = true;
      continue;
    }
    all = false;
    const weight = (level[4 * k + 3] = data[4 * k + 3] / 255);
    for (let c = 0; c < 3; c++) level[4 * k + c] = data[4 * k + c] * weight;
  }
  if (!some) return picture;
  const colours = all ? level.fill(127.5) : pushed(level, width, height);
  const shown = Float32Array.from(data, (value, k) => (hidden(k >> 2) ? colours[k] : value));
  return { data: shown, width, height };
}

/** A level's colours, where it has few or none by those of the level of half its size. */
function pushed(level, width, height) {
  const colours = new Float32Array(level.length);
  const own = (k, c) => (level[4 * k + 3] > 0 ? level[4 * k + c] / level[4 * k + 3] : 0);
  if (width * height === 1) return colours.map((_, c) => own(0, c));
  const [columns, rows] = [(width + 1) >> 1, (height + 1) >> 1];
  const half = new Float32Array(4 * columns * rows);
  const above = (k) => (Math.floor(k / width) >> 1) * columns + ((k % width) >> 1);
  for (let k = 0; k < width * height; k++) {
    for (let c = 0, to = 4 * above(k); c < 4; c++) half[to + c] += level[4 * k + c];
  }
  const wide = pushed(half, columns, rows);
  for (let k = 0; k < width * height; k++) {
    const share = Math.min(level[4 * k + 3], 1);
    for (let c = 0, from = 4 * above(k); c < 3; c++) {
      colours[4 * k + c] = own(k, c) * share + wide[from + c] * (1 - share);
    }
  }
  return colours;
}
