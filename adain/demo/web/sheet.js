// The contact sheet: the photo in every style.
import { stylize } from "./api.js";
import { blank, encoded } from "./canvas.js";
import { complain, notice } from "./notices.js";
import { download } from "./save.js";
import * as pictures from "./pictures.js";
import { makeRequest } from "./request.js";
import { expected } from "./result.js";
import { about } from "./stage.js";
import { get, here, same, set, watch } from "./store.js";

const SIDE = 384; // pixels
const AT_ONCE = 2;
// A transparent pixel.
const NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const WATCHED = ["photo", "strength", "model", "brush", "smooth", "colours", "own"];

export function startSheet({ find, config }) {
  const titles = pictures.titleOf;
  const grid = find("#sheet-grid");
  const state = find("#sheet-state");
  let making = null; // an AbortController
  let made = null; // what the sheet shows, or is going to

  function wanted() {
    const { own } = get();
    return [...own, ...config.styles.map(({ name }) => here(name))];
  }

  async function start() {
    if (get().tab !== "sheet") return;
    const look = Object.fromEntries(WATCHED.map((name) => [name, get()[name]]));
    if (same(look, made)) return;
    made = look;
    making?.abort();
    const giving = (making = new AbortController());
    const styles = wanted();
    for (const { url } of tiles) URL.revokeObjectURL(url);
    tiles = styles.map((style) => tile(style));
    grid.replaceChildren(...tiles.map(({ element }) => element));
    find("#sheet-save").disabled = true;
    let done = 0;
    const left = [...tiles];
    const say = () => {
      const time = expected(look.model, (styles.length - done) * SIDE * SIDE * 0.7);
      const words = time > 1500 ? `, about ${about(time)} left` : "";
      state.textContent = done < styles.length ? `${done} of ${styles.length}${words}` : "";
    };
    say();
    const work = async () => {
      for (let next; (next = left.shift()); ) {
        let result;
        try {
          const request = await makeRequest({ ...get(), ...look, tab: "style", style: next.style });
          result = await stylize({ ...request, maxSide: SIDE }, { signal: giving.signal });
        } catch (error) {
          if (next.style.kind === "here" || error.name === "AbortError") throw error;
          complain(error); // of an own style: the others go on
          next.element.remove();
          tiles = tiles.filter((other) => other !== next);
          done += 1;
          continue;
        }
        next.url = URL.createObjectURL(result.blob);
        next.picture.src = next.url;
        next.picture.alt = `${titles(look.photo)} in the style of ${titles(next.style)}`;
        next.element.classList.remove("waiting");
        done += 1;
        say();
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      find("#sheet-save").disabled = false;
    } catch (error) {
      if (error.name === "AbortError") return;
      giving.abort();
      made = null;
      state.textContent = "";
      complain(error);
    }
  }

  let tiles = [];

  function tile(style) {
    const element = document.createElement("button");
    element.type = "button";
    element.className = "waiting";
    element.title = `Go on with ${titles(style)}`;
    const picture = document.createElement("img");
    picture.alt = "";
    picture.src = NOTHING;
    const label = document.createElement("span");
    label.textContent = titles(style);
    element.append(picture, label);
    element.addEventListener("click", () => set({ style, tab: "style" }));
    return { style, element, picture, url: "" };
  }

  // All of them as one picture, each with its name.
  async function saveSheet() {
    const photos = await Promise.all(tiles.map(({ picture }) => createImageBitmap(picture)));
    const { width, height } = photos[0];
    const columns = Math.ceil(Math.sqrt((photos.length * height) / width));
    const [gap, line] = [12, 30];
    const rows = Math.ceil(photos.length / columns);
    const { canvas, paper } = blank(
      gap + columns * (width + gap),
      gap + rows * (height + line + gap),
    );
    paper.fillStyle = "#fff";
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.fillStyle = "#222";
    paper.font = "18px system-ui, sans-serif";
    photos.forEach((photo, at) => {
      const x = gap + (at % columns) * (width + gap);
      const y = gap + Math.floor(at / columns) * (height + line + gap);
      paper.drawImage(photo, x, y);
      paper.fillText(titles(tiles[at].style), x, y + height + 21, width);
    });
    download(await encoded(canvas, "image/jpeg", 0.92), "all-styles.jpg");
    notice(`Saved all-styles.jpg: ${photos.length} styles.`);
  }

  find("#sheet-save").addEventListener("click", () => saveSheet().catch(complain));
  // A drag of a slider begins one sheet, not a hundred.
  let soon;
  watch(["tab", ...WATCHED], () => {
    clearTimeout(soon);
    if (get().tab !== "sheet") {
      if (find("#sheet-save").disabled) made = null; // begun anew when somebody comes back
      making?.abort();
    } else soon = setTimeout(start, 250);
  });
  start();
}
