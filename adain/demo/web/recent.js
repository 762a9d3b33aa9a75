// The strip of the last results: each brings back the photo, the style and the look it was made by.
import { blank } from "./canvas.js";
import { get, LOOK, same, set } from "./store.js";

const KEPT = 12;
const SIDE = 120; // pixels of a thumbnail
const SETTLED = 1200; // milliseconds that a result stays before it is worth keeping

let timer;

const look = (from) => Object.fromEntries(LOOK.map((name) => [name, from[name]]));
// A drag of the slider is one result, not a hundred, and so are the strokes of a painting.
const unlike = (from) => ({
  ...look(from),
  strength: 0,
  brush: 0,
  smooth: 0,
  painted: null,
  wells: from.wells.map((well) => well.style),
});

// A result is shown that was made from this state.
export function noteResult(from, blob) {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const thumbnail = await small(blob).catch(() => null);
    if (!thumbnail) return;
    const entry = { ...look(from), thumbnail };
    const others = get().recent.filter((other) => !same(unlike(other), unlike(entry)));
    set({ recent: [entry, ...others].slice(0, KEPT) });
  }, SETTLED);
}

async function small(blob) {
  const bitmap = await createImageBitmap(blob);
  const scale = SIDE / Math.min(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  const { canvas, paper } = blank(SIDE, SIDE);
  paper.fillStyle = "#888";
  paper.fillRect(0, 0, SIDE, SIDE);
  paper.imageSmoothingQuality = "high";
  paper.drawImage(bitmap, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
  bitmap.close();
  return canvas.toDataURL("image/jpeg", 0.8);
}

export function showRecent(element, describe) {
  const { recent } = get();
  element.parentElement.hidden = recent.length < 2;
  element.replaceChildren(
    ...recent.map((entry) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = `Back to: ${describe(entry)}`;
      const picture = document.createElement("img");
      picture.src = entry.thumbnail;
      picture.alt = describe(entry);
      picture.width = picture.height = 56;
      button.append(picture);
      button.addEventListener("click", () => set(look(entry)));
      return button;
    }),
  );
}
