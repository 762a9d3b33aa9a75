// The result over the photo, with a divider that a hand or the arrow keys move (a before/after
// slider), and the progress of the one that is being made.
import { scrollable } from "./sliders.js";

const SOON = 250; // milliseconds: what comes sooner needs no progress

export class Stage {
  constructor(element) {
    this.element = element;
    [this.after, this.before] = element.querySelectorAll("img");
    this.divider = element.querySelector("input");
    this.bar = element.querySelector(".progress");
    this.divider.addEventListener("input", () => this.divide());
    scrollable(this.divider, () => this.divide());
    this.divide();
  }

  divide() {
    const { value } = this.divider;
    this.element.style.setProperty("--divider", `${value}%`);
    this.divider.setAttribute("aria-valuetext", `photo to ${value} %, result beyond`);
  }

  // `before`: the photo's address; `result`: {blob, width, height}; `alt`: what it shows.
  async show(before, result, alt) {
    const url = URL.createObjectURL(result.blob);
    // Decoded first: else the old one is gone for a moment before the new one is there.
    const ready = new Image();
    ready.src = url;
    await ready.decode().catch(() => {});
    const old = this.after.src;
    this.shape(result.width, result.height);
    if (this.before.src !== before) this.before.src = before;
    this.after.src = url;
    this.after.alt = alt;
    this.element.classList.remove("empty");
    if (old.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(old), 1000);
  }

  shape(width, height) {
    this.element.style.setProperty("--across", width);
    this.element.style.setProperty("--down", height);
  }

  // Something is made that takes about so long, if that is known; the old picture stays, dimmed.
  begin(expected) {
    this.end();
    this.timer = setTimeout(() => {
      this.element.setAttribute("aria-busy", "true");
      this.bar.style.setProperty("--expected", `${Math.max(expected || 2000, 400)}ms`);
      this.bar.setAttribute("aria-valuetext", expected ? `about ${about(expected)}` : "working");
      this.bar.lastElementChild.textContent = expected > 1500 ? `about ${about(expected)}` : "";
    }, SOON);
  }

  end() {
    clearTimeout(this.timer);
    this.element.setAttribute("aria-busy", "false");
  }
}

export function about(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 1.5) return "a second";
  return seconds < 90 ? `${Math.round(seconds)} seconds` : `${Math.round(seconds / 60)} minutes`;
}
