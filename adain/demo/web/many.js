// Many photos in one style, in full size, saved as one ZIP archive.
import { stylize } from "./api.js";
import { chooseFiles } from "./drop.js";
import { complain, notice } from "./notices.js";
import { cross } from "./parts.js";
import { download, SUFFIXES } from "./save.js";
import * as pictures from "./pictures.js";
import { lookOf } from "./request.js";
import { about } from "./stage.js";
import { get } from "./store.js";
import { zip } from "./zip.js";

const FORMAT = "jpeg";
const QUALITY = 92;

export function startMany({ find }) {
  const titles = pictures.titleOf;
  const list = find("#many-list");
  const state = find("#many-state");
  let photos = []; // {file, row, blob}
  let running = null;
  let manner = null; // the style that the pictures are made in

  function add(files) {
    for (const file of files) {
      try {
        pictures.check(file);
      } catch (error) {
        complain(error);
        continue;
      }
      const row = document.createElement("li");
      const name = document.createElement("span");
      name.textContent = file.name;
      const said = document.createElement("span");
      said.className = "said";
      const photo = { file, row, said, blob: null };
      const remove = () => {
        photos = photos.filter((other) => other !== photo);
        row.remove();
        enable();
      };
      row.append(name, said, cross(file.name, remove));
      list.append(row);
      photos.push(photo);
    }
    enable();
  }

  function enable() {
    find("#many-start").disabled = !photos.length;
    find("#many-start").textContent = running ? "Stop" : "Make them all";
    find("#many-save").disabled = Boolean(running) || !photos.some(({ blob }) => blob);
  }

  async function start() {
    if (running) {
      running.abort();
      return;
    }
    running = new AbortController();
    const { signal } = running;
    const look = get();
    manner = look.style;
    const begun = performance.now();
    let done = 0;
    let failed = 0;
    for (const photo of photos) [photo.blob, photo.said.textContent] = [null, ""];
    enable();
    const all = [...photos];
    for (const photo of all) {
      if (signal.aborted) break;
      if (!photos.includes(photo)) continue;
      photo.said.textContent = "…";
      try {
        await pictures.readable(photo.file);
        const style = await pictures.sent(look.style);
        const request = { content: photo.file, styles: [style], ...lookOf(look) };
        const result = await stylize({ ...request, format: FORMAT, quality: QUALITY }, { signal });
        photo.blob = result.blob;
        photo.said.textContent = `${result.width} × ${result.height}`;
        photo.row.className = "done";
      } catch (error) {
        photo.row.className = error.name === "AbortError" ? "" : "failed";
        const sentence = error.status === 400 ? pictures.unreadable("It") : error.message;
        photo.said.textContent = error.name === "AbortError" ? "" : sentence;
        failed += error.name === "AbortError" ? 0 : 1;
      }
      done += 1;
      const left = ((performance.now() - begun) / done) * (all.length - done);
      state.textContent = done < all.length ? `${done} of ${all.length}, about ${about(left)} left` : "";
    }
    running = null;
    const made = photos.filter(({ blob }) => blob).length;
    state.textContent = `${made} made${failed ? `, ${failed} failed` : ""}`;
    enable();
  }

  async function saveAll() {
    const files = photos
      .filter(({ blob }) => blob)
      .map(({ file, blob }) => {
        const stem = file.name.replace(/\.[^.]*$/, "");
        return { name: `${stem}-stylized.${SUFFIXES[FORMAT]}`, blob };
      });
    download(await zip(files), `${titles(manner).replace(/[^\p{L}\p{N}]+/gu, "-")}.zip`);
    notice(`Saved ${files.length} pictures.`);
  }

  find("#many-choose").addEventListener("click", async () => add(await chooseFiles({ multiple: true })));
  find("#many-start").addEventListener("click", start);
  find("#many-save").addEventListener("click", () => saveAll().catch(complain));
  return { add };
}
