// What there is to choose from: the photo, the styles, photos and pairs to try.
import { chooseFiles, takeFiles } from "./drop.js";
import { Gallery } from "./gallery.js";
import { fillWell } from "./mix.js";
import { complain, notice } from "./notices.js";
import { picture as image } from "./parts.js";
import * as pictures from "./pictures.js";
import { get, here, same, set, watch } from "./store.js";

const OWN = 8; // styles of the visitor's that are kept
const THUMBNAIL = 192; // pixels
const WITH_PHOTO = ["style", "mix", "paint", "sheet"]; // tabs in which the photo is seen

const keyOf = (picture) => picture.id || picture.name;

// `many`: `add` of the list of photos; `video`: `take` of the tab.
export function startChoices({ root, find, config }, many, video) {
  const titles = pictures.titleOf;
  const styles = new Gallery(find("#styles"), {
    choose: ({ picture }) => chooseStyle(picture),
    remove: ({ picture }) => forgetStyle(picture),
    follows: () => get().tab !== "mix", // where each would be added to the mixture
  });
  let newest = 0; // of the pictures that are brought: one that takes longer does not undo a later one
  const photos = new Gallery(find("#photos"), { choose: ({ picture }) => set({ photo: picture }) });

  async function take(files, place) {
    try {
      const isVideo = files[0].type.startsWith("video/");
      if (isVideo || (get().tab === "video" && place === "video" && files.length === 1)) {
        video.take(files[0]);
        return;
      }
      if (files.length > 1 || (get().tab === "many" && place !== "style")) {
        many.add(files);
        set({ tab: "many" });
        return;
      }
      const mine = ++newest;
      const picture = await pictures.bring(files[0]);
      if (mine !== newest) return;
      if (place === "style") useStyle(picture);
      else usePhoto(picture);
    } catch (error) {
      complain(error);
    }
  }

  function usePhoto(picture) {
    const before = get().photo;
    const { tab } = get();
    set({ photo: picture, tab: WITH_PHOTO.includes(tab) ? tab : "style" });
    const other = () => {
      set({ photo: before });
      useStyle(picture);
    };
    notice(`The photo is now ${picture.title}.`, { actions: [["Use it as a style", other]] });
  }

  function useStyle(picture) {
    set({ own: [picture, ...get().own].slice(0, OWN) });
    chooseStyle(picture);
  }

  function chooseStyle(picture) {
    if (get().tab === "mix") fillWell(picture);
    else if (get().tab === "paint") {
      const { brushes, hand } = get();
      set({ brushes: brushes.with(Math.max(0, hand - 1), picture) });
    } else set({ style: picture });
  }

  function forgetStyle(picture) {
    const { own, style, wells, brushes } = get();
    const other = (used) => (same(used, picture) ? here(config.styles[0].name) : used);
    const kept = wells.filter((well) => !same(well.style, picture));
    const mixed = new Set(kept.map((well) => well.style.name));
    const spare = config.styles.filter(({ name }) => !mixed.has(name));
    while (kept.length < Math.min(2, wells.length)) {
      kept.push({ style: here(spare.shift().name), share: 50 });
    }
    set({
      own: own.filter(({ id }) => id !== picture.id),
      style: other(style),
      wells: kept,
      brushes: brushes.map(other),
    });
    find('#styles [tabindex="0"]').focus(); // the cross that had the focus is gone
  }

  const offered = (list, group) =>
    list.map(({ name, title, description }) => ({
      key: name,
      title,
      description,
      picture: here(name),
      src: pictures.shown(here(name), group, THUMBNAIL),
    }));

  function fillStyles() {
    const own = get().own.map((picture) => ({
      key: picture.id,
      title: picture.title,
      picture,
      own: true,
      src: pictures.shown(picture, "styles", THUMBNAIL),
    }));
    styles.fill([...own, ...offered(config.styles, "styles")]);
  }

  function pressStyle() {
    const { tab, style, brushes, hand } = get();
    const chosen = tab === "paint" ? brushes[hand - 1] : style; // the eraser has none
    styles.press(tab === "mix" || !chosen ? null : keyOf(chosen));
  }

  async function showPhoto() {
    const { photo } = get();
    photos.press(keyOf(photo));
    find("#photo-title").textContent = titles(photo);
    const { credit } = config.photos.find(({ name }) => name === photo.name) || {};
    find("#photo-credit").textContent = credit ? `Photo: ${credit}` : "";
    const src = await pictures.shown(photo, "photos", THUMBNAIL).catch(() => "");
    if (same(photo, get().photo) && src) find("#photo img").src = src;
  }

  function pairButton({ photo, style, strength, model }) {
    const button = document.createElement("button");
    button.type = "button";
    button.title = `${titles(here(photo))} in the style of ${titles(here(style))}`;
    button.setAttribute("aria-label", button.title);
    for (const [name, group] of [[photo, "photos"], [style, "styles"]]) {
      button.append(image(pictures.shown(here(name), group, THUMBNAIL)));
    }
    const chosen = { tab: "style", photo: here(photo), style: here(style), strength, model };
    button.addEventListener("click", () => set(chosen));
    return button;
  }

  function surprise() {
    const others = config.styles.filter(({ name }) => name !== get().style.name);
    const some = (count) => Math.floor(count * Math.random());
    const any = () => here(others.splice(some(others.length), 1)[0].name);
    if (get().tab === "mix") {
      set({ wells: get().wells.map(() => ({ style: any(), share: 20 + 10 * some(9) })) });
    } else set({ style: any(), strength: 60 + 5 * some(9) });
    styles.reveal();
  }

  const choosing = (place) => async () => {
    const files = await chooseFiles();
    if (files.length) take(files, place);
  };
  find("#photo").addEventListener("click", choosing("photo"));
  find("#photo-choose").addEventListener("click", choosing("photo"));
  // Without HTTPS a page has no camera, but a telephone's file dialog has.
  find("#photo-camera").addEventListener("click", async () => {
    if (navigator.mediaDevices) {
      set({ tab: "live" });
      return;
    }
    const files = await chooseFiles({ camera: true });
    if (files.length) take(files, "photo");
  });
  find("#style-choose").addEventListener("click", choosing("style"));
  find("#surprise").addEventListener("click", surprise);
  find(".pairs").append(...config.pairs.map(pairButton));
  takeFiles(root, take);
  watch(["photo"], showPhoto);
  watch(["own"], fillStyles);
  watch(["style", "tab", "brushes", "hand", "own"], pressStyle);
  fillStyles();
  photos.fill(offered(config.photos, "photos"));
  showPhoto();
  pressStyle();
  styles.reveal();
}
