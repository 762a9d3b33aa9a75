// Pictures that a visitor brings: read, brought to the size of the preview, and kept.
import { pictureUrl, Refusal, stylize } from "./api.js";
import { find, keep } from "./blobs.js";
import { drawn, encoded } from "./canvas.js";

export const PREVIEW = 768; // pixels: the long side of what is shown while one looks around
const AS_IT_IS = 300_000; // bytes: what is no larger is sent as it is
const KEPT_PREVIEWS = 6;
const KINDS = "JPEG, PNG, WebP, HEIC, TIFF, GIF, AVIF and BMP";

let limits = { bytes: Infinity, titles: new Map() };
const previews = new Map(); // of own pictures, by id: promises of {blob, url, width, height, alpha}

// What the server says: {bytes: of an upload, titles: of the pictures that it offers, by name; model,
// anyStyle: names of some that there are}.
export function setLimits(given) {
  limits = given;
}

export const titleOf = (picture) => picture.title || limits.titles.get(picture.name) || picture.name;

export const unreadable = (title) => `${title} cannot be read as a picture. Pictures are ${KINDS} files.`;

// A Refusal of what is no picture, or not for this server, as far as can be seen without reading it.
export function check(file, title = file.name) {
  if (file.type && !file.type.startsWith("image/")) {
    throw new Refusal(`${title} is not a picture. Pictures are ${KINDS} files.`);
  }
  if (!file.size) throw new Refusal(`${title} is empty.`);
  if (file.size > limits.bytes) {
    const allowed = `${Math.floor(limits.bytes / 1e6)} MB`;
    throw new Refusal(`${title} has ${(file.size / 1e6).toFixed(1)} MB; this server takes ${allowed}.`);
  }
}

// A Refusal of a folder that was dropped, whose bytes no browser gives.
export async function readable(file, title = file.name) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Refusal(`${title} is a folder, or cannot be read: choose the pictures in it.`);
  }
}

// A new picture of the visitor's, as {kind: "own", id, title}; a Refusal where it is none.
export async function bring(file, title = file.name || "Pasted picture") {
  check(file, title);
  await readable(file, title);
  const preview = await shrunk(file, title);
  const id = await keep(file);
  remember(id, Promise.resolve(preview));
  return { kind: "own", id, title };
}

function remember(id, preview) {
  previews.set(id, preview);
  preview.catch(() => previews.delete(id));
  if (previews.size > KEPT_PREVIEWS) {
    const [oldest] = previews.keys();
    previews.get(oldest).then(({ url }) => URL.revokeObjectURL(url), () => {});
    previews.delete(oldest);
  }
}

// {blob, url, width, height, alpha, full: {width, height}} of an own picture: the preview, and the
// size of the original.
export async function preview(picture) {
  if (!previews.has(picture.id)) {
    remember(picture.id, original(picture).then((file) => shrunk(file, picture.title)));
  }
  return previews.get(picture.id);
}

// The bytes that the visitor chose.
export async function original(picture) {
  const file = await find(picture.id);
  if (!file) throw new Refusal(`${picture.title} is no longer kept in this browser: choose it again.`);
  return file;
}

async function shrunk(file, title) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return ofServer(file, title);
  }
  const full = { width: bitmap.width, height: bitmap.height };
  const scale = Math.min(1, PREVIEW / Math.max(full.width, full.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const { canvas, paper } = drawn(bitmap, width, height);
  bitmap.close();
  const alpha = file.type !== "image/jpeg" && hasAlpha(paper.getImageData(0, 0, width, height).data);
  let blob = file;
  if (scale < 1 || file.size > AS_IT_IS) {
    blob = await encoded(canvas, alpha ? "image/png" : "image/jpeg", 0.95);
  }
  return { blob, url: URL.createObjectURL(blob), width, height, alpha, full };
}

function hasAlpha(data) {
  for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return true;
  return false;
}

// A picture that this browser cannot read, such as a TIFF: at strength 0 the server gives it back.
async function ofServer(file, title) {
  try {
    const request = { content: file, styles: [limits.anyStyle], strength: 0, model: limits.model };
    const { blob, width, height } = await stylize({ ...request, maxSide: PREVIEW, format: "png" });
    const full = { width, height, least: true }; // or larger: nobody has told
    return { blob, url: URL.createObjectURL(blob), width, height, alpha: true, full };
  } catch (error) {
    if (![400, 422].includes(error.status)) throw error;
    throw new Refusal(unreadable(title), error.status);
  }
}

// What the service is sent for a picture: a name, or bytes; the original ones for a full result.
export async function sent(picture, { full = false } = {}) {
  if (picture.kind === "here") return picture.name;
  return full ? original(picture) : (await preview(picture)).blob;
}

// An address to show a picture from, at about this many pixels.
export async function shown(picture, group, side) {
  if (picture.kind === "here") return pictureUrl(group, picture.name, side);
  return (await preview(picture)).url;
}

export async function alphaOf(picture) {
  return picture.kind === "own" && (await preview(picture)).alpha;
}
