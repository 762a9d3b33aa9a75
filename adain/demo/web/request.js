// What the service is asked for a state of the page: see `stylize` of api.js.
import { masksOf } from "./painted_map.js";
import * as pictures from "./pictures.js";
import { same } from "./store.js";

// `wanted`: a state. `full`: the photo's own bytes instead of its preview. `styles` is empty where
// nothing is painted.
export async function makeRequest(wanted, { full = false } = {}) {
  const { tab, photo } = wanted;
  const { used, masks, weights } = await usedStyles(wanted);
  const [content, alpha, ...styles] = await Promise.all([
    pictures.sent(photo, { full }),
    pictures.alphaOf(photo),
    ...used.map((style) => pictures.sent(style)),
  ]);
  const format = alpha ? "webp" : "jpeg";
  const look = lookOf(tab === "paint" ? { ...wanted, strength: 100 } : wanted);
  return { content, styles, masks, weights, ...look, format, quality: 90 };
}

// What is chosen beside the pictures.
export const lookOf = ({ model, strength, brush, smooth, colours }) => ({ model, strength, brush, smooth, colours });

async function usedStyles({ tab, photo, style, wells, brushes, painted }) {
  if (tab === "paint") {
    if (!same(painted?.photo, photo)) return { used: [] };
    const masks = await masksOf(painted.map);
    return { used: brushes.filter((_, i) => masks[i]), masks: masks.filter(Boolean) };
  }
  if (tab !== "mix") return { used: [style] };
  // Without any share all have the same; one with a share is a style like any other.
  const counted = wells.filter(({ share }) => share > 0);
  const mixed = counted.length ? counted : wells.map((well) => ({ ...well, share: 1 }));
  const used = mixed.map((well) => well.style);
  return used.length > 1 ? { used, weights: mixed.map(({ share }) => share) } : { used };
}

// The look in words.
export function described({ tab, style, wells, strength }) {
  const titles = pictures.titleOf;
  if (tab === "paint") return "painted with styles";
  const manner =
    tab === "mix" ? wells.map((well) => titles(well.style)).join(" and ") : titles(style);
  return `in the style of ${manner}, ${strength} %`;
}
