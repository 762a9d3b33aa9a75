// The camera: its newest frame, whenever the page has time for one.
import { pixels } from './pictures.js';

const SIDE = 480; // pixels of the longest side

export class Camera {
  #video = null;

  get on() {
    return this.#video !== null;
  }

  /** Asks for the camera; rejects where there is none or the person forbids it. */
  async start() {
    if (!navigator.mediaDevices) throw new Error('browsers give it over HTTPS only');
    const video = document.createElement('video');
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
    Object.assign(video, { muted: true, playsInline: true });
    await video.play();
    [video.width, video.height] = [video.videoWidth, video.videoHeight];
    this.#video = video;
  }

  stop() {
    for (const track of this.#video?.srcObject.getTracks() ?? []) track.stop();
    this.#video = null;
  }

  /** What the camera sees now, as ImageData. */
  frame() {
    return pixels(this.#video, SIDE);
  }
}
