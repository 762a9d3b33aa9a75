// The camera, painted over while it runs: one request at a time, and the newest frame next.
import { pause, stylize } from "./api.js";
import { drawn, encoded } from "./canvas.js";
import { complain, notice } from "./notices.js";
import * as pictures from "./pictures.js";
import { lookOf } from "./request.js";
import { get, set, watch } from "./store.js";

const SIDE = 480; // pixels: the long side of a frame on its way
const QUALITY = 0.8;
const REASONS = {
  NotAllowedError: "The browser was not allowed to use the camera: allow it in the address bar.",
  NotFoundError: "There is no camera on this device.",
  NotReadableError: "Another program has the camera: close it first.",
};

export function startLive({ find, config }) {
  const canvas = find(".live canvas");
  const paper = canvas.getContext("2d");
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true });
  let running = null; // {stream, giving}
  let asked = 0; // how often the camera was asked for or given up: an answer may come too late

  async function start() {
    if (running) {
      stop();
      return;
    }
    if (!navigator.mediaDevices?.getUserMedia) {
      notice("Browsers give pages the camera only over HTTPS, or on this machine.", { error: true });
      return;
    }
    const mine = ++asked;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 } });
      if (mine !== asked) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      running = { stream, giving: new AbortController() };
      video.srcObject = stream;
      await video.play();
      find("#live-start").textContent = "Stop";
      find("#live-still").disabled = false;
      find(".camera").classList.add("on");
      follow(running.giving.signal);
    } catch (error) {
      if (mine !== asked) return;
      stop();
      notice(REASONS[error.name] || `The camera did not start (${error.message}).`, { error: true });
    }
  }

  function stop() {
    asked += 1;
    running?.giving.abort();
    for (const track of running?.stream.getTracks() || []) track.stop();
    running = null;
    video.srcObject = null;
    find("#live-start").textContent = "Start the camera";
    find("#live-still").disabled = true;
    find("#live-rate").textContent = "";
    find(".camera").classList.remove("on");
  }

  async function follow(signal) {
    const times = [];
    try {
      while (!signal.aborted) {
        const asked = performance.now();
        const frame = await grab(SIDE, "image/jpeg", QUALITY);
        // The quick model, whatever is chosen for pictures that stay.
        const look = { ...lookOf(get()), model: config.models[0].name };
        const styles = [await pictures.sent(get().style)];
        const request = { content: frame, styles, ...look };
        const result = await stylize({ ...request, format: "jpeg", quality: 85 }, { signal });
        const bitmap = await createImageBitmap(result.blob);
        if (signal.aborted) return;
        if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
          [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
        }
        paper.drawImage(bitmap, 0, 0);
        bitmap.close();
        const now = performance.now();
        times.push(now);
        while (times[0] < now - 3000) times.shift();
        const rate = times.length > 1 ? (1000 * (times.length - 1)) / (now - times[0]) : 0;
        find("#live-rate").textContent =
          `${rate.toFixed(1)} pictures a second, ${Math.round(now - asked)} ms behind`;
        canvas.dataset.frames = Number(canvas.dataset.frames || 0) + 1;
        await pause(0, signal);
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      stop();
      complain(error);
    }
  }

  // What the camera sees now, at most so long.
  function grab(side, type, quality) {
    const scale = Math.min(1, side / Math.max(video.videoWidth, video.videoHeight));
    const [width, height] = [video.videoWidth, video.videoHeight].map((n) => Math.round(n * scale));
    return encoded(drawn(video, width, height).canvas, type, quality);
  }

  async function still() {
    const blob = await grab(Infinity, "image/jpeg", 0.95);
    stop();
    try {
      const photo = await pictures.bring(blob, "Camera picture");
      set({ photo, tab: "style" });
    } catch (error) {
      complain(error);
    }
  }

  find("#live-start").addEventListener("click", start);
  find("#live-still").addEventListener("click", still);
  watch(["tab"], ({ tab }) => tab !== "live" && stop());
}
