// Pictures drawn on a canvas, and encoded.

// A picture (an image, a bitmap, a video) at this size: {canvas, paper: its 2D context}.
export function drawn(picture, width, height) {
  const { canvas, paper } = blank(width, height);
  paper.imageSmoothingQuality = "high";
  paper.drawImage(picture, 0, 0, width, height);
  return { canvas, paper };
}

export function blank(width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  return { canvas, paper: canvas.getContext("2d", { willReadFrequently: true }) };
}

// A Blob of this type; `quality` of JPEG, 0 to 1.
export function encoded(canvas, type, quality) {
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}

// An ImageData as the data URL of a PNG.
export function pngUrl(image) {
  const { canvas, paper } = blank(image.width, image.height);
  paper.putImageData(image, 0, 0);
  return canvas.toDataURL("image/png");
}
