// The service, as the page asks it: `POST v1/stylize`, in the words of people.
export const ROOT = new URL("../", import.meta.url);
const TRIES = 8; // while the server is busy

// What went wrong, as a sentence for the visitor.
export class Refusal extends Error {
  constructor(sentence, status = 0) {
    super(sentence);
    this.status = status;
  }
}

export const pictureUrl = (group, name, side) =>
  new URL(`v1/${group}/${encodeURIComponent(name)}/picture?max_side=${side}`, ROOT).href;

// request: {content, styles: a Blob, or the name of a picture that the server offers; weights, masks:
// lists as long as the styles; strength, brush, smooth: in per cent; model, colours,
// maxSide, format, quality}. Resolves to {blob, width, height, milliseconds, device}; rejects with a
// Refusal, or with an AbortError by `signal`. `waiting` is called with a sentence while the server is
// busy, and asked again.
export async function stylize(request, { signal, waiting } = {}) {
  const form = formOf({ format: "jpeg", ...request });
  if (request.quality) form.append("quality", request.quality);
  const answer = await post(new URL("v1/stylize", ROOT), form, signal, waiting);
  const [width, height] = answer.headers.get("X-Adain-Size").split("x").map(Number);
  return {
    blob: await answer.blob(),
    width,
    height,
    milliseconds: Number(answer.headers.get("X-Adain-Milliseconds")),
    device: answer.headers.get("X-Adain-Device"),
  };
}

// The fields that pictures and videos have in common.
export function formOf(request) {
  const form = new FormData();
  const add = (file, id, value, name) => {
    if (value instanceof Blob) form.append(file, value, name);
    else form.append(id, value);
  };
  add("content", "content_id", request.content, "photo");
  // Files come before names, and shares and masks follow that order.
  const order = request.styles.map((_, i) => i);
  const isName = (i) => !(request.styles[i] instanceof Blob);
  order.sort((a, b) => isName(a) - isName(b) || a - b);
  for (const i of order) add("style", "style_id", request.styles[i], `style-${i + 1}`);
  for (const i of order) {
    if (request.weights) form.append("weight", request.weights[i]);
    if (request.masks) form.append("mask", request.masks[i], `mask-${i + 1}.png`);
  }
  form.append("alpha", (request.strength ?? 100) / 100);
  form.append("model", request.model);
  if (request.brush && request.brush !== 100) form.append("brush", request.brush / 100);
  if (request.smooth) form.append("smooth", request.smooth / 100);
  if (request.colours) form.append("colours", "luminance");
  if (request.maxSide) form.append("max_side", request.maxSide);
  form.append("format", request.format);
  return form;
}

async function post(url, body, signal, waiting) {
  for (let attempt = 1; ; attempt++) {
    let answer;
    try {
      const headers = { "X-Requested-With": "fetch" };
      answer = await fetch(url, { method: "POST", body, headers, signal });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw unreached();
    }
    if (answer.ok) return answer;
    const { error = "" } = await answer.json().catch(() => ({}));
    if (answer.status !== 503 || attempt === TRIES) throw refusal(answer.status, error);
    waiting?.("The server is busy with others: waiting for a turn.");
    const seconds = Math.min(10, Number(answer.headers.get("Retry-After")) || 2);
    await pause(1000 * seconds * (0.5 + 0.5 * Math.random()), signal);
  }
}

export function unreached() {
  const refusal = new Refusal("The server cannot be reached. Is it still running?");
  return Object.assign(refusal, { unreached: true });
}

function refusal(status, error) {
  const sentences = {
    401: "Your login has ended: reload the page to sign in again.",
    413: `That picture is too large for this server. ${error}`,
    503: "The server has been busy for a while. Your picture is still here: try again later.",
    507: "The server is short of memory or disk just now: try a smaller size, or later.",
  };
  const ours = status >= 500 ? "Something went wrong on the server: it is not your picture." : error;
  return new Refusal(sentences[status] || ours || `The server answered ${status}.`, status);
}

export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      clearTimeout(timer);
      reject(new DOMException("given up", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", giveUp);
      resolve();
    }, milliseconds);
    if (signal?.aborted) giveUp();
    else signal?.addEventListener("abort", giveUp, { once: true });
  });
}

// One request at a time, and of those that are asked for meanwhile only the newest: the result
// follows the hand and never trails behind it.
export class Newest {
  #next = null;
  #busy = false;

  constructor(work) {
    this.work = work; // async; deals with its own errors
  }

  async ask(...request) {
    this.#next = request;
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#next) {
        const now = this.#next;
        this.#next = null;
        await this.work(...now);
      }
    } finally {
      this.#busy = false;
    }
  }

  get waiting() {
    return this.#next !== null;
  }
}
