// Sliders in per cent, with a box or a label that says the same.
import { get, set, watch } from "./store.js";

export function slide(slider, box, name) {
  const low = Number(slider.min);
  const high = Number(slider.max);
  const show = () => {
    const value = get()[name];
    if (slider.value !== String(value)) slider.value = value;
    slider.setAttribute("aria-valuetext", `${value} %`);
    if (box.tagName === "OUTPUT") box.value = `${value} %`;
    else if (document.activeElement !== box || Number(box.value) !== value) box.value = value;
  };
  slider.addEventListener("input", () => set({ [name]: Number(slider.value) }));
  if (box.tagName === "INPUT") {
    // What is typed counts at once where it is a number, within the limits; the box is put right
    // when it is left.
    box.addEventListener("input", () => {
      const typed = box.value.trim() === "" ? NaN : Number(box.value);
      if (Number.isFinite(typed)) set({ [name]: Math.round(Math.min(high, Math.max(low, typed))) });
    });
    box.addEventListener("change", () => (box.value = get()[name]));
    box.addEventListener("blur", () => (box.value = get()[name]));
  }
  scrollable(slider, (value) => set({ [name]: value }));
  watch([name], show);
  show();
}

// A finger that begins on a slider and moves up or down scrolls the page: the slider has taken the
// place that was touched, and gets its value back.
export function scrollable(slider, put) {
  let before = null;
  slider.addEventListener("pointerdown", (event) => {
    before = event.pointerType === "touch" ? Number(slider.value) : null;
  });
  slider.addEventListener("pointerup", () => (before = null));
  slider.addEventListener("pointercancel", () => {
    if (before === null) return;
    slider.value = before;
    put(before);
    before = null;
  });
}
