// A radio group of pictures to choose from: one Tab stop, arrow keys within it.
import { cross, picture } from "./parts.js";

export class Gallery {
  // `choose(item)` is called for a click; `remove(item)`, where given, for the cross on own ones.
  // `follows()`: whether the arrow keys choose as they move, as they do among radio buttons.
  constructor(element, { choose, remove, follows = () => true }) {
    Object.assign(this, { element, choose, remove, follows });
    element.setAttribute("role", "radiogroup");
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  // items: [{key, title, description, src: a promise of an address, own}]
  fill(items) {
    this.element.replaceChildren(...items.map((item) => this.#tile(item)));
    this.press(this.pressed);
  }

  #tile(item) {
    const tile = document.createElement("div");
    tile.className = "tile";
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", "radio");
    button.dataset.key = item.key;
    button.title = item.description || item.title;
    const image = picture(item.src);
    image.width = image.height = 96;
    const label = document.createElement("span");
    label.textContent = item.title;
    button.append(image, label);
    button.addEventListener("click", () => this.choose(item));
    tile.append(button);
    if (item.own && this.remove) tile.append(cross(item.title, () => this.remove(item)));
    return tile;
  }

  get #buttons() {
    return [...this.element.querySelectorAll("[role=radio]")];
  }

  press(key) {
    this.pressed = key;
    const buttons = this.#buttons;
    const chosen = buttons.find((button) => button.dataset.key === key) || buttons[0];
    for (const button of buttons) {
      button.setAttribute("aria-checked", String(button.dataset.key === key));
      button.tabIndex = button === chosen ? 0 : -1;
    }
  }

  // Where the row is narrower than its pictures, the chosen one is brought into it.
  reveal() {
    const chosen = this.element.querySelector('[aria-checked="true"]')?.parentElement;
    if (!chosen || this.element.scrollWidth <= this.element.clientWidth) return;
    const middle = chosen.offsetLeft - (this.element.clientWidth - chosen.offsetWidth) / 2;
    this.element.scrollTo({ left: middle - this.element.offsetLeft, behavior: "instant" });
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's: Alt+Left is Back
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const buttons = this.#buttons;
    const at = buttons.indexOf(event.target);
    if (at < 0) return;
    let to;
    if (event.key in steps) to = (at + steps[event.key] + buttons.length) % buttons.length;
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = buttons.length - 1;
    else return;
    event.preventDefault();
    buttons[to].focus();
    if (this.follows()) buttons[to].click();
  }
}
