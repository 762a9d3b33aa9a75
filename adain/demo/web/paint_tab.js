// Paint: the painter on the photo, and its brushes with three styles. What is painted is part of the
// state: {photo, map}, and so is the brush in hand.
import { decodeMap } from "./painted_map.js";
import { startPainter } from "./painter.js";
import * as pictures from "./pictures.js";
import { get, same, set, watch } from "./store.js";

export function startPaint({ root }) {
  let posed = null; // the photo on the easel
  const painter = startPainter(root, get().hand, {
    changed: () => set({ painted: { photo: posed, map: painter.map() } }),
    taken: (hand) => set({ hand }),
  });

  // The photo is put on the easel when somebody comes to paint, or back to what was painted.
  async function pose() {
    const { tab, photo, painted } = get();
    if (tab !== "paint") return;
    const before = same(painted?.photo, photo) ? painted.map : null;
    if (same(photo, posed) && before === painter.map()) return;
    posed = photo;
    try {
      const src = await pictures.shown(photo, "photos", pictures.PREVIEW);
      const image = new Image();
      image.src = src;
      const [map] = await Promise.all([before && decodeMap(before), image.decode()]);
      if (!same(photo, get().photo)) return;
      painter.setPhoto(src, image.naturalWidth, image.naturalHeight, map);
    } catch {
      // The stage says what is wrong with this photo.
    }
  }

  async function showStyles() {
    const { brushes } = get();
    const srcs = await Promise.all(
      brushes.map((style) => pictures.shown(style, "styles", 192).catch(() => "")),
    );
    painter.setStyles(
      brushes.map((style, i) => ({ src: srcs[i], title: pictures.titleOf(style) })),
    );
  }

  watch(["tab", "photo", "painted"], pose);
  watch(["brushes"], showStyles);
  showStyles();
  pose();
}
