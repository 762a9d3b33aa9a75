// Mix: two to four styles in wells, each with its share.
import { cross, picture } from "./parts.js";
import * as pictures from "./pictures.js";
import { scrollable } from "./sliders.js";
import { get, same, set, watch } from "./store.js";

const MOST = 4;
const LEAST = 2;
let aimed = null; // the well that the next style goes to, where somebody chose one

// The next free well, else the one that was chosen, else the last.
export function fillWell(style) {
  const { wells } = get();
  const at = aimed ?? (wells.length < MOST ? wells.length : MOST - 1);
  aimed = null;
  const changed = [...wells];
  changed[at] = { style, share: wells[at]?.share ?? 50 };
  set({ wells: changed });
}

export function startMix({ find }) {
  const titles = pictures.titleOf;
  const list = find(".wells > div");
  let shown = [];

  function show() {
    const { wells } = get();
    const total = wells.reduce((sum, { share }) => sum + share, 0);
    const part = (share) => Math.round(total ? (100 * share) / total : 100 / wells.length);
    const styles = wells.map((well) => well.style);
    if (!same(styles, shown)) {
      shown = styles;
      list.replaceChildren(...wells.map((well, at) => row(well, at, wells.length)));
      if (wells.length < MOST) {
        const free = document.createElement("p");
        free.className = "free";
        free.textContent = "Click a style below to add it.";
        list.append(free);
      }
    }
    wells.forEach(({ share }, at) => {
      const slider = list.querySelectorAll("input")[at];
      slider.value = share;
      slider.setAttribute("aria-valuetext", `${part(share)} %`);
      slider.nextElementSibling.value = `${part(share)} %`;
    });
    list.querySelectorAll(".well > button:first-child").forEach((button, at) =>
      button.setAttribute("aria-pressed", String(at === aimed)),
    );
  }

  function row({ style }, at, count) {
    const well = document.createElement("div");
    well.className = "well";
    const face = document.createElement("button");
    face.type = "button";
    face.title = "Put the next style here";
    face.setAttribute("aria-label", `${titles(style)}: put the next style here`);
    face.append(picture(pictures.shown(style, "styles", 192)));
    face.addEventListener("click", () => {
      aimed = aimed === at ? null : at;
      show();
    });
    const label = document.createElement("label");
    const name = document.createElement("span");
    name.textContent = titles(style);
    const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 100 });
    slider.setAttribute("aria-label", `Share of ${titles(style)}`);
    const put = (share) => set({ wells: get().wells.with(at, { style, share }) });
    slider.addEventListener("input", () => put(Number(slider.value)));
    scrollable(slider, put);
    label.append(name, slider, document.createElement("output"));
    const remove = cross(titles(style), () => {
      aimed = null;
      set({ wells: get().wells.filter((_, other) => other !== at) });
    });
    remove.disabled = count <= LEAST;
    well.append(face, label, remove);
    return well;
  }

  watch(["wells"], show);
  show();
}
