// A video in the chosen style, made by the server while one waits or does something else.
import { pause, Refusal } from "./api.js";
import { chooseFiles } from "./drop.js";
import { complain, notice } from "./notices.js";
import * as pictures from "./pictures.js";
import { lookOf } from "./request.js";
import { downloadFrom } from "./save.js";
import { slide } from "./sliders.js";
import { about } from "./stage.js";
import { get, set, watch } from "./store.js";
import { ask, end, fileOf, inWords, order } from "./video_job.js";

const KINDS = "video/*,.mkv,.avi,.mov,.webm,.ts,image/gif,image/webp,image/apng";
const EVERY = 1000; // milliseconds between looks at how far it is
const H264 = 'video/mp4; codecs="avc1.640028"';

export function startVideo({ find, config }) {
  const [before, after] = find("#video-screen").querySelectorAll("video");
  const [from, to] = [find("#video-from"), find("#video-to")];
  const state = find("#video-state");
  const original = find("#video-original input");
  const format = after.canPlayType(H264) ? "mp4" : "webm";
  let file = null;
  let sending = null; // an AbortController
  let watching = null; // another

  slide(find("#video-steady"), find("#video-steady + output"), "steady");
  const side = find("#video-side");
  side.addEventListener("change", () => set({ side: side.value }));
  const showSide = () => (side.value = get().side);
  watch(["side"], showSide);
  showSide();

  function take(chosen) {
    try {
      check(chosen);
    } catch (error) {
      complain(error);
      return;
    }
    forget();
    file = chosen;
    if (before.src) URL.revokeObjectURL(before.src);
    before.src = URL.createObjectURL(file);
    from.value = to.value = "";
    state.textContent = file.name;
    set({ tab: "video" });
    show();
  }

  const busy = () => Boolean(sending || watching);

  // A Refusal of what is no video, or too large, as far as can be seen without reading it.
  function check(chosen) {
    if (busy()) throw new Refusal("A video is being made: stop it before you choose another.");
    if (!config.tabs.includes("video")) throw new Refusal("This server does not make videos.");
    const kind = chosen.type.split("/")[0];
    const animated = ["image/gif", "image/webp", "image/png", "image/apng"].includes(chosen.type);
    if (kind && kind !== "video" && !animated) throw new Refusal(`${chosen.name} is not a video.`);
    if (!chosen.size) throw new Refusal(`${chosen.name} is empty.`);
    if (chosen.size > config.max_video) {
      const [has, takes] = [chosen.size, config.max_video].map((n) => `${(n / 1e6).toFixed(1)} MB`);
      throw new Refusal(`${chosen.name} has ${has}; this server takes ${takes}.`);
    }
  }

  // The part that is made is no longer than the server makes.
  before.addEventListener("loadedmetadata", () => {
    const most = config.max_video_seconds;
    if (!Number.isFinite(before.duration)) return;
    to.placeholder = before.duration.toFixed(1);
    if (before.duration > most) {
      to.value = most;
      notice(`This server makes ${about(1000 * most)} of a video at most: choose the part.`);
    }
    show();
  });
  before.addEventListener("error", () => {
    if (!file) return;
    state.textContent = `${file.name}: this browser cannot show it, but the server may read it.`;
    show();
  });

  function show() {
    const { video } = get();
    const done = Boolean(after.src);
    const shows = Boolean(file) && !before.error;
    const showsBefore = shows && (!done || original.checked);
    before.hidden = !showsBefore;
    after.hidden = !done || showsBefore;
    find("#video-screen").classList.toggle("empty", before.hidden && after.hidden);
    find("#video-original").hidden = !(shows && done);
    find(".making").hidden = !busy();
    find("#video-start").textContent = busy() ? "Stop" : "Make it";
    find("#video-start").disabled = !busy() && !file;
    find("#video-choose").disabled = busy();
    // What comes next.
    find("#video-choose").classList.toggle("primary", !file);
    find("#video-start").classList.toggle("primary", Boolean(file));
    find("#video-save").disabled = !(done && video);
  }

  // One takes up where the other is.
  original.addEventListener("change", () => {
    const [left, next] = original.checked ? [after, before] : [before, after];
    const offset = Number(from.value) || 0;
    const time = left.currentTime + (original.checked ? offset : -offset);
    const playing = !left.paused;
    left.pause();
    next.currentTime = Math.max(0, time);
    if (playing) next.play().catch(() => {});
    show();
  });

  function progress(share, words) {
    const bar = find("#video-progress");
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
    bar.setAttribute("aria-valuetext", words);
    find("#video-rate").textContent = words;
  }

  async function start() {
    if (sending) {
      sending.abort();
      return;
    }
    if (watching) {
      await stop();
      return;
    }
    forget();
    sending = new AbortController();
    progress(0, "Sending it");
    state.textContent = "";
    show();
    try {
      const { style, steady, side: maxSide } = get();
      const manner = lookOf(get());
      const seconds = (box) => (box.value.trim() === "" ? null : Number(box.value));
      const styles = [await pictures.sent(style)];
      const look = { styles, ...manner, steady, maxSide, format };
      const part = { start: seconds(from), end: seconds(to) };
      const sent = (share) =>
        progress(share, share < 1 ? `Sending it, ${Math.round(100 * share)} %` : "Looking at it");
      const request = { content: file, title: file.name, ...look, ...part };
      const { id } = await order(request, { signal: sending.signal, sent });
      set({ video: { id, title: file.name } });
      sending = null;
      follow();
    } catch (error) {
      sending = null;
      state.textContent = "";
      complain(error, start);
    }
    show();
  }

  async function stop() {
    const { video } = get();
    watching?.abort();
    watching = null;
    show();
    state.textContent = "Stopped.";
    set({ video: null });
    if (video) await end(video.id).catch(complain);
  }

  // Ask how far the job is until it is over.
  async function follow() {
    const { id, title } = get().video;
    const mine = new AbortController();
    watching = mine;
    show();
    try {
      for (;;) {
        const job = await ask(id, mine.signal);
        if (!job) throw new Refusal(`${title} is no longer on the server.`);
        if (job.state === "done") {
          after.src = fileOf(id);
          original.checked = false;
          const notes = job.notes.map((note) => ` ${note[0].toUpperCase()}${note.slice(1)}.`).join("");
          state.textContent = `${job.frames} pictures, ${job.width} × ${job.height}.${notes}`;
          break;
        }
        if (job.state === "failed") throw new Refusal(inWords(job.error, title));
        if (job.state === "cancelled") throw new Refusal(`${title} was stopped.`);
        tell(job);
        await pause(EVERY, mine.signal);
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      // One that the server still makes is asked for again after a reload.
      if (!error.unreached) set({ video: null });
      state.textContent = "";
      // Meanwhile another may have been begun.
      complain(error, () => get().video && !busy() && follow());
    }
    if (watching === mine) watching = null;
    show();
  }

  function tell({ before: others, state: now, frames, total, frames_per_second: rate, seconds_left: left }) {
    if (now === "waiting") {
      progress(null, `Waiting for ${others === 1 ? "another video" : `${others} other videos`}`);
      return;
    }
    if (!rate) {
      progress(null, "Beginning");
      return;
    }
    const of = total ? ` of ${total}` : "";
    const soon = left === null ? "" : `, about ${about(1000 * left)} left`;
    const words = `${frames}${of} pictures, ${rate.toFixed(1)} a second${soon}`;
    progress(total ? Math.min(1, frames / total) : null, words);
  }

  // The last one makes room, even where it could no longer be asked how far it is.
  function forget() {
    const { video } = get();
    if (video) end(video.id).catch(() => {});
    after.removeAttribute("src");
    after.load();
    set({ video: null });
  }

  function save() {
    const { id, title } = get().video;
    const name = `${title.replace(/\.[^.]*$/, "")}-stylized.${format}`;
    downloadFrom(fileOf(id), name);
    notice(`Saving ${name}.`);
  }

  find("#video-choose").addEventListener("click", async () => {
    const [chosen] = await chooseFiles({ accept: KINDS });
    if (chosen) take(chosen);
  });
  find("#video-start").addEventListener("click", start);
  find("#video-save").addEventListener("click", save);
  watch(["tab"], ({ tab }) => {
    if (tab === "video") return;
    before.pause();
    after.pause();
  });
  show();
  if (get().video) follow();
  return { take };
}
