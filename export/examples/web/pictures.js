// Pictures in and out: what people choose, drop or paste, as pixels of a wanted size.

/** A picture file, upright and in the page's colours; an Error of one sentence if it is none. */
export async function open(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    const name = file.name ? `“${file.name}”` : 'What was pasted';
    throw new Error(
      `${name} is not a picture that this browser can read; JPEG, PNG, WebP, AVIF and GIF are.`,
    );
  }
}

/** ImageData of a picture with at most `maxSide` pixels a side, never enlarged. */
export function pixels(picture, maxSide) {
  const scale = Math.min(1, maxSide / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((side) =>
    Math.max(1, Math.round(side * scale)),
  );
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.fillStyle = 'white'; // shows through where the picture is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** Hands a canvas to the person as a PNG file. */
export async function download(canvas, name) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
