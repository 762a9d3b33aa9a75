// Saving, copying and sharing: the full size is made only for these.
import { pause, stylize } from "./api.js";
import { drawn, encoded } from "./canvas.js";
import { complain, notice, quiet } from "./notices.js";
import { about } from "./stage.js";
import { get, linked } from "./store.js";

export const SUFFIXES = { jpeg: "jpg", png: "png", webp: "webp" };
const QUALITY = 95;

export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  downloadFrom(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// As a click on a link with `download` would.
export function downloadFrom(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

// `request`: what `stylize` takes, in full; `expected`: milliseconds, if known.
export async function save(request, name, format, maxSide, expected) {
  const giving = new AbortController();
  const stop = [["Cancel", () => giving.abort()]];
  const words = expected > 1500 ? `, about ${about(expected)}` : "";
  const slow = pause(400, giving.signal).then(
    () => notice(`Making it in full size${words}.`, { actions: stop, stays: true }),
    () => {},
  );
  try {
    const whole = { ...request, format, maxSide, quality: format === "png" ? undefined : QUALITY };
    const result = await stylize(whole, {
      signal: giving.signal,
      waiting: (sentence) => notice(sentence, { actions: stop, stays: true }),
    });
    giving.abort(); // the notice that has not come yet
    await slow;
    download(result.blob, `${name}.${SUFFIXES[format]}`);
    const bytes = result.blob.size;
    const size = bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
    notice(`Saved ${name}.${SUFFIXES[format]}: ${result.width} × ${result.height}, ${size}.`);
    return result;
  } catch (error) {
    giving.abort(); // else the notice comes after the error, and stays
    await slow;
    quiet();
    complain(error);
    return null;
  }
}

// The picture that is shown, as a PNG: the one kind that every clipboard takes.
export async function copy(blob) {
  try {
    const png = asPng(blob);
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    notice("Copied: paste it where you like.");
  } catch {
    notice("This browser does not let pages copy pictures: save it instead.", { error: true });
  }
}

async function asPng(blob) {
  const bitmap = await createImageBitmap(blob);
  return encoded(drawn(bitmap, bitmap.width, bitmap.height).canvas, "image/png");
}

// Web Share, where the browser has it; else the address of this look is copied, with the note.
export async function share(blob, name, title, note) {
  const kind = blob.type.split("/")[1];
  const file = new File([blob], `${name}.${SUFFIXES[kind] ?? kind}`, { type: blob.type });
  if (navigator.canShare?.({ files: [file] })) {
    try {
      await navigator.share({ files: [file], title, url: lookAddress() });
    } catch (error) {
      if (error.name !== "AbortError") notice("Sharing did not work: save it instead.");
    }
    return;
  }
  await copyLink(note);
}

const lookAddress = () => new URL(`#${linked(get(), { sent: true })}`, location.href).href;

export async function copyLink(note = "") {
  const address = lookAddress();
  try {
    await navigator.clipboard.writeText(address);
    notice(`The link to this look is copied.${note}`);
  } catch {
    notice(`This look's address: ${address}`, { stays: true });
  }
}
