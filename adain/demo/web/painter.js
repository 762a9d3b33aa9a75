// Painting where each style goes, and how strong, on a small map that lies over the photo. The map's
// red, green and blue are the strengths of the three styles.
import { encodeMap } from "./painted_map.js";

const LONG_SIDE = 256; // of the map
const STEPS_BACK = 40;
const TINTS = [[230, 97, 0], [26, 110, 232], [0, 158, 115]]; // told apart by colour-blind eyes too
const OPACITY = 0.42; // of a style at full strength

// `hand`: the number of the brush in hand; `tell`: {changed, taken}: called when the map is another,
// and with the number of a brush that is taken.
export function startPainter(root, hand, tell) {
  const find = (selector) => root.querySelector(selector);
  const easel = find(".easel");
  const picture = find(".easel .content");
  const canvas = find(".easel canvas");
  const ring = find(".ring");
  const brushes = [...root.querySelectorAll(".brushes button")];
  const sliders = [...root.querySelectorAll(".settings input")];
  const paper = canvas.getContext("2d");

  let width = 0;
  let height = 0;
  let map = new Uint8ClampedArray(0); // [height, width, 3]
  let encoded = null; // the map as a data URL
  let history = [];
  let brush = 1;
  let at = { x: 0, y: 0 }; // where the brush is, on the map
  let stroke = null; // {before: the map, cover: how far the brush has reached each place}

  const setting = (name) => Number(sliders.find((slider) => slider.name === name).value);
  const radius = () => (setting("width") / 200) * Math.max(width, height);
  const smooth = (t) => (t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t));

  // The map

  function start(across, down) {
    const longest = Math.max(across, down);
    width = Math.max(1, Math.round((across * LONG_SIDE) / longest));
    height = Math.max(1, Math.round((down * LONG_SIDE) / longest));
    map = new Uint8ClampedArray(width * height * 3);
    for (let i = 0; i < width * height; i++) {
      const right = smooth(((i % width) / width - 0.42) / 0.16);
      map[3 * i] = 255 * (1 - right);
      map[3 * i + 1] = 255 - map[3 * i];
    }
    history = [];
    stroke = null;
    [canvas.width, canvas.height] = [width, height];
    easel.style.setProperty("--across", across);
    easel.style.setProperty("--down", down);
    move(width / 2, height / 2);
  }

  function tint(left, top, right, bottom) {
    if (right <= left || bottom <= top) return;
    const image = paper.createImageData(right - left, bottom - top);
    let to = 0;
    for (let y = top; y < bottom; y++) {
      for (let i = 3 * (y * width + left); i < 3 * (y * width + right); i += 3, to += 4) {
        const sum = map[i] + map[i + 1] + map[i + 2];
        if (!sum) continue;
        for (let c = 0; c < 3; c++) {
          const mixed = map[i] * TINTS[0][c] + map[i + 1] * TINTS[1][c] + map[i + 2] * TINTS[2][c];
          image.data[to + c] = mixed / sum;
        }
        image.data[to + 3] = sum * OPACITY;
      }
    }
    paper.putImageData(image, left, top);
  }

  function describe() {
    const sums = [0, 0, 0];
    map.forEach((level, i) => (sums[i % 3] += level));
    const shares = sums.map((sum) => Math.round(sum / 2.55 / Math.max(1, width * height)));
    const parts = shares.map((share, i) => `style ${i + 1} on ${share} %`);
    const text = `The photo, painted with ${parts.join(", ")}`;
    canvas.setAttribute("aria-label", text);
  }

  function changed() {
    tint(0, 0, width, height);
    describe();
    enable();
    encoded = encodeMap(map, width, height);
    tell.changed();
  }

  // Strokes: within one, the brush reaches each place as far as it ever did, so that going over a
  // soft edge again does not harden it.

  function press(x, y) {
    if (!width || stroke) return;
    stroke = { before: map.slice(), cover: new Float32Array(width * height) };
    move(x, y);
    stamp(x, y);
  }

  function drag(x, y) {
    const { x: fromX, y: fromY } = at;
    move(x, y);
    if (!stroke) return;
    const far = Math.hypot(x - fromX, y - fromY);
    const stamps = Math.ceil(far / Math.max(1, radius() / 4));
    for (let n = 1; n <= stamps; n++) {
      stamp(fromX + ((x - fromX) * n) / stamps, fromY + ((y - fromY) * n) / stamps);
    }
  }

  function release() {
    if (!stroke) return;
    remember(stroke.before);
    stroke = null;
    changed();
  }

  function revoke() {
    if (!stroke) return;
    map = stroke.before;
    stroke = null;
    tint(0, 0, width, height);
  }

  function stamp(x, y) {
    const reach = Math.max(radius(), 0.75);
    const edge = Math.max(setting("softness") / 100, Math.min(1, 1 / reach)); // at least one pixel
    const [left, right] = [Math.max(0, Math.floor(x - reach)), Math.min(width, Math.ceil(x + reach))];
    const [top, bottom] = [Math.max(0, Math.floor(y - reach)), Math.min(height, Math.ceil(y + reach))];
    const wanted = target();
    const { before, cover } = stroke;
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        const far = Math.hypot(column + 0.5 - x, row + 0.5 - y) / reach;
        const reached = smooth((1 - far) / edge);
        const i = row * width + column;
        if (reached <= cover[i]) continue;
        cover[i] = reached;
        for (let c = 0; c < 3; c++) {
          const from = before[3 * i + c];
          map[3 * i + c] = from + (wanted[c] - from) * reached;
        }
      }
    }
    tint(left, top, right, bottom);
  }

  // What the brush leaves: its style alone, at its strength; the eraser leaves the photo.
  function target() {
    const level = brush ? setting("strength") * 2.55 : 0;
    return [1, 2, 3].map((number) => (number === brush ? level : 0));
  }

  function remember(before) {
    history.push(before);
    if (history.length > STEPS_BACK) history.shift();
  }

  const actions = {
    undo() {
      if (!history.length) return;
      map = history.pop();
      changed();
    },
    clear() {
      fill([0, 0, 0]);
    },
    fill() {
      fill(target());
    },
  };

  function fill(levels) {
    if (!width) return;
    remember(map);
    map = map.map((_, i) => levels[i % 3]);
    changed();
  }

  // The brush

  function move(x, y) {
    at = { x, y };
    ring.style.left = `${(100 * x) / (width || 1)}%`;
    ring.style.top = `${(100 * y) / (height || 1)}%`;
  }

  function take(number) {
    brush = number;
    for (const button of brushes) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.brush) === number));
    }
    easel.dataset.brush = number;
  }

  function label() {
    for (const slider of sliders) {
      const unit = `${slider.value} %`;
      slider.nextElementSibling.value = unit;
      slider.setAttribute("aria-valuetext", unit);
    }
    ring.style.width = `${(200 * radius()) / (width || 1)}%`;
  }

  function enable() {
    easel.classList.toggle("bare", !width);
    for (const name of Object.keys(actions)) {
      find(`[name=${name}]`).disabled = name === "undo" ? !history.length : !width;
    }
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * width,
      ((event.clientY - box.top) / box.height) * height,
    ];
  }

  easel.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    easel.setPointerCapture(event.pointerId);
    easel.classList.remove("keys");
    press(...place(event));
  });
  easel.addEventListener("pointermove", (event) => {
    if (event.isPrimary) drag(...place(event));
  });
  easel.addEventListener("pointerup", (event) => event.isPrimary && release());
  easel.addEventListener("pointercancel", (event) => event.isPrimary && revoke());
  easel.addEventListener("blur", release);

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  easel.addEventListener("keydown", (event) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey) {
      if (key.toLowerCase() !== "z" || stroke) return;
      actions.undo();
    } else if (key === " ") {
      if (!event.repeat) press(at.x, at.y);
    } else if (ARROWS[key]) {
      const step = event.shiftKey ? 1 : LONG_SIDE / 32;
      const [x, y] = [at.x + ARROWS[key][0] * step, at.y + ARROWS[key][1] * step];
      drag(Math.min(width, Math.max(0, x)), Math.min(height, Math.max(0, y)));
    } else if (/^[0-3]$/.test(key)) {
      choose(Number(key));
    } else {
      return;
    }
    easel.classList.add("keys");
    event.preventDefault();
  });
  easel.addEventListener("keyup", (event) => event.key === " " && release());

  function choose(number) {
    if (stroke) return;
    take(number);
    tell.taken(number);
  }

  for (const button of brushes) {
    button.addEventListener("click", () => choose(Number(button.dataset.brush)));
  }
  for (const [name, act] of Object.entries(actions)) find(`[name=${name}]`).addEventListener("click", act);
  for (const slider of sliders) slider.addEventListener("input", label);

  take(hand);
  label();
  enable();

  return {
    // A photo to paint on, with what was painted on it before or a map that begins anew.
    setPhoto(src, across, down, before) {
      picture.src = src;
      start(across, down);
      if (before?.width === width && before.height === height) map = before.map;
      label();
      changed();
    },
    setStyles(styles) {
      brushes.forEach((button) => {
        const style = styles[button.dataset.brush - 1];
        if (!style) return;
        button.firstElementChild.style.backgroundImage = `url("${style.src}")`;
        button.lastElementChild.textContent = style.title;
      });
    },
    map: () => encoded,
  };
}
