// A painted map: RGB, whose three channels are the strengths of the three brushes' styles; kept in
// the state as the data URL of a PNG, and sent to the service as a gray mask for each style.
import { drawn, pngUrl } from "./canvas.js";

// `map`: [height, width, 3], 0 to 255.
export function encodeMap(map, width, height) {
  return pngUrl(image(width, height, (i) => map.subarray(3 * i, 3 * i + 3)));
}

// {map, width, height}, as `encodeMap` was given them.
export async function decodeMap(url) {
  const { width, height, data } = await pixels(url);
  const map = new Uint8ClampedArray(3 * width * height);
  for (let i = 0; i < width * height; i++) map.set(data.subarray(4 * i, 4 * i + 3), 3 * i);
  return { map, width, height };
}

// A mask as a PNG for each style, null for those that are nowhere.
export async function masksOf(url) {
  const { width, height, data } = await pixels(url);
  return Promise.all(
    [0, 1, 2].map(async (channel) => {
      let any = 0;
      for (let i = channel; i < data.length; i += 4) any |= data[i];
      if (!any) return null;
      const gray = image(width, height, (i) => Array(3).fill(data[4 * i + channel]));
      return (await fetch(pngUrl(gray))).blob();
    }),
  );
}

function image(width, height, levels) {
  const made = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    made.data.set(levels(i), 4 * i);
    made.data[4 * i + 3] = 255;
  }
  return made;
}

async function pixels(url) {
  const bitmap = await createImageBitmap(await (await fetch(url)).blob());
  const { width, height } = bitmap;
  return drawn(bitmap, width, height).paper.getImageData(0, 0, width, height);
}
