// What the sample pictures are drawn with.

/** A canvas, its context, and random numbers from 0 to 1 that are the same every time. */
export function sheet(width, height, seed) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const random = () => {
    seed = (seed + 0x6d2b79f5) | 0; // mulberry32
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return [canvas, canvas.getContext('2d'), random];
}

export function gradient(context, x0, y0, x1, y1, ...colours) {
  const fill = context.createLinearGradient(x0, y0, x1, y1);
  colours.forEach((colour, index) => fill.addColorStop(index / (colours.length - 1), colour));
  return fill;
}

export function polygon(context, fill, ...points) {
  context.fillStyle = fill;
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.fill();
}

export function disc(context, fill, x, y, rx, ry = rx) {
  context.fillStyle = fill;
  context.beginPath();
  context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
  context.fill();
}

export const pick = (random, colours) => colours[Math.floor(random() * colours.length)];
