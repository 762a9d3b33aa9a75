// The result of what is chosen: asked for whenever that changes, shown, and kept.
import { Newest, stylize } from "./api.js";
import { complain, notice } from "./notices.js";
import * as pictures from "./pictures.js";
import { noteResult, showRecent } from "./recent.js";
import { described, makeRequest } from "./request.js";
import { copy, copyLink, save, share } from "./save.js";
import { about, Stage } from "./stage.js";
import { get, here, LOOK, same, set, usedPictures, watch } from "./store.js";

const TABS = ["style", "mix", "paint"]; // those that show one result

// How long a picture takes here, in milliseconds; undefined before the first one.
export function expected(model, pixels) {
  const pace = get().pace[model];
  return pace && (pace * pixels) / 1e6;
}

export function startResult({ root, find, config }) {
  const stage = new Stage(find("#result"));
  let shown = null; // the result's bytes
  let size = { width: 768, height: 512 };

  const newest = new Newest(async (wanted) => {
    const { model, photo } = wanted;
    stage.begin(expected(model, size.width * size.height));
    let silence = () => {};
    try {
      const [request, before] = await Promise.all([
        makeRequest(wanted),
        pictures.shown(photo, "photos", pictures.PREVIEW),
      ]);
      const waiting = (sentence) => (silence = notice(sentence, { stays: true }));
      const result = request.styles.length
        ? await stylize({ ...request, maxSide: pictures.PREVIEW }, { waiting })
        : await unpainted(before);
      silence();
      if (!same(photo, get().photo)) return;
      await stage.show(before, result, `${pictures.titleOf(photo)}, ${described(wanted)}`);
      size = result;
      shown = result.blob;
      if (!result.device) {
        find("#details").textContent = "";
        return;
      }
      const took = `${(result.milliseconds / 1000).toFixed(2)} s`;
      find("#details").textContent =
        `${result.width} × ${result.height} · ${took} · ${model} on ${result.device}`;
      notePace(model, result);
      noteResult(wanted, result.blob);
    } catch (error) {
      complain(error, refresh);
      if (!error.status) await replaceLost();
    } finally {
      if (!newest.waiting) stage.end();
    }
  });
  const refresh = () => TABS.includes(get().tab) && newest.ask(get());
  const photo = config.photos.find(({ name }) => name === get().photo.name);
  if (photo?.width) stage.shape(photo.width, photo.height); // nothing moves when the result comes

  async function saveAs(format) {
    find("#save").open = false;
    const asked = get();
    const { width, height, least } = await fullSize(asked.photo);
    const longest = Math.max(width, height);
    const limits = [Number(find("#save-size").value) || Infinity];
    if (asked.tab === "paint" && (least || width * height > config.max_masked)) {
      limits.push(painted(width, height) - (least ? 2 : 0));
    }
    const side = Math.min(...limits);
    const scale = Math.min(1, side / longest);
    const request = await makeRequest(asked, { full: true });
    if (!request.styles.length) {
      notice("Nothing is painted yet.");
      return;
    }
    const time = expected(asked.model, width * height * scale * scale);
    await save(request, fileName(), format, Number.isFinite(side) ? side : undefined, time);
  }

  // Of a picture that is gone there is nothing to show: go on with one that is here.
  async function replaceLost() {
    const { photo, style, wells, brushes, own } = get();
    const lost = new Set();
    for (const picture of usedPictures({ ...get(), recent: [] })) {
      if (picture.kind === "own" && !(await isKept(picture))) lost.add(picture.id);
    }
    if (!lost.size) return;
    const other = (picture, instead) => (lost.has(picture.id) ? instead : picture);
    const styleAt = (at) => here(config.styles[at].name);
    set({
      photo: other(photo, here(config.pairs[0].photo)),
      style: other(style, styleAt(0)),
      wells: wells.map((well, at) => ({ ...well, style: other(well.style, styleAt(at)) })),
      brushes: brushes.map((brush, at) => other(brush, styleAt(at))),
      own: own.filter(({ id }) => !lost.has(id)),
    });
  }

  // The long side to which the service has what is painted on brought down.
  function painted(width, height) {
    const scale = Math.sqrt(config.max_masked / (width * height));
    return Math.floor(Math.max(width, height) * Math.min(1, scale));
  }

  // The full size of a photograph may take a minute, and a painting has none: that is said before
  // it is chosen.
  find("#save").addEventListener("toggle", async () => {
    const { tab, photo, model } = get();
    const { width, height } = await fullSize(photo).catch(() => size);
    const time = expected(model, width * height);
    let words = `Full size${time > 1500 ? `, ${about(time)}` : ""}`;
    if (tab === "paint" && width * height > config.max_masked) {
      words = `Largest for paintings, ${painted(width, height)} pixels`;
    }
    find("#save-size").options[0].textContent = words;
  });

  async function fullSize(photo) {
    return photo.kind === "own" ? (await pictures.preview(photo)).full : size;
  }

  for (const button of root.querySelectorAll("#save [data-format]")) {
    button.addEventListener("click", () => saveAs(button.dataset.format).catch(complain));
  }
  const closeMenu = () => (find("#save").open = false);
  document.addEventListener("click", (event) => event.target.closest?.("#save") || closeMenu());
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenu());
  find("#copy").addEventListener("click", () => shown && copy(shown));
  find("#share").addEventListener("click", () => {
    const own = [get().photo, get().style].some(({ kind }) => kind === "own");
    const note = own ? " Your own pictures are not in it." : "";
    if (!navigator.canShare) copyLink(note);
    else if (shown) share(shown, fileName(), pictures.titleOf(get().photo), note);
  });
  const showStrip = () =>
    showRecent(
      find(".recent > div"),
      (entry) => `${pictures.titleOf(entry.photo)}, ${described(entry)}`,
    );
  watch(["recent"], showStrip);
  watch(LOOK, refresh);
  showStrip();
  refresh();
}

// Nothing is painted: the photo itself.
async function unpainted(before) {
  const blob = await (await fetch(before)).blob();
  const { width, height } = await createImageBitmap(blob);
  return { blob, width, height, device: "" };
}

const isKept = (picture) => pictures.original(picture).then(Boolean, () => false);

function notePace(model, { milliseconds, width, height }) {
  const now = milliseconds / ((width * height) / 1e6);
  const before = get().pace[model] || now;
  set({ pace: { ...get().pace, [model]: Math.round(0.7 * before + 0.3 * now) } });
}

function fileName() {
  const stem = pictures.titleOf(get().photo).replace(/\.[^.]*$/, "");
  return `${stem.replace(/[^\p{L}\p{N} _-]+/gu, "") || "photo"}-stylized`;
}
