// The Stylizer on any ONNX Runtime; `runtime` is what Node.js and browsers do differently.
import { AdaINError, briefly, checkInteger, foundError } from './errors.js';
import { checked, filled, fitted } from './images.js';
import { metadata } from './metadata.js';
import { interleaved, planar } from './planes.js';
import { Style, styleOf } from './style.js';
import { Turns } from './turns.js';

const CONTRACT = '3';
const MODEL = 'fast';
const PRECISIONS = ['fp16', 'fp32'];
const STYLE_SIDE = 512; // styles are learned, and best, at about this size
// Literal addresses, by which bundlers find the files.
const INSIDE = {
  encoder: new URL('./models/adain-fast-encoder-fp16.onnx', import.meta.url),
  style: new URL('./models/adain-fast-style.onnx', import.meta.url),
  decoder: new URL('./models/adain-fast-decoder-fp16.onnx', import.meta.url),
};

/** The Stylizer class of a runtime. */
export function stylizerOn(runtime) {
  return class Stylizer {
    #parts;
    #about;
    #kept = null; // the last content, and what the encoder gave for it
    #turns = new Turns(); // sessions run one at a time

    constructor(device, precision, parts, about) {
      Object.assign(this, { device, precision });
      this.#parts = parts;
      this.#about = about;
    }

    /** Loads model and runtime; see index.d.ts. */
    static async create(options = {}) {
      const { device = 'auto', precision = 'fp16', models, threads } = options;
      const inside = models === undefined;
      const precisions = inside ? PRECISIONS.slice(0, 1) : PRECISIONS;
      if (!precisions.includes(precision)) {
        const hint = inside ? ' (inside the package); with models also fp32' : '';
        throw foundError('precision', briefly(precision), precisions.join(', ') + hint);
      }
      const devices = ['auto', ...runtime.devices];
      if (!devices.includes(device)) {
        throw foundError('device', briefly(device), devices.join(', '));
      }
      if (threads !== undefined) checkInteger('threads', threads);
      const files = inside ? INSIDE : locations(models, precision);
      const parts = Object.keys(files);
      const loaded = await Promise.allSettled(parts.map((part) => bytesAt(files[part])));
      const failed = loaded.find(({ reason }) => reason); // of several always the first
      if (failed) throw failed.reason;
      const bytes = Object.fromEntries(parts.map((part, k) => [part, loaded[k].value]));
      const about = checkedFiles(files, bytes, precision);
      const opened = await runtime.open(bytes, device, precision, options).catch((error) => {
        if (error instanceof AdaINError) throw error;
        const found = `${device}, which fails (${briefly(error)})`;
        throw foundError('device', found, 'another one', error);
      });
      return new Stylizer(opened.device, precision, opened, about);
    }

    /** The Style of a picture. */
    encodeStyle(image, { maxSide = STYLE_SIDE, signal } = {}) {
      return this.#next(signal, async () => {
        checkInteger('maxSide', maxSide);
        const picture = filled(fitted(await runtime.read(image), maxSide));
        const { style } = await this.#run('style', picture, { image: this.#planes(picture) });
        const vector = Float32Array.from(style.data);
        return new Style(vector, MODEL, this.#about.style_space);
      });
    }

    /** The content in the style, as RGBA pixels exactly as large. */
    stylize(content, style, { strength = 1, signal } = {}) {
      return this.#next(signal, async () => {
        const { vector: numbers } = styleOf(style);
        style.checkFor(MODEL, this.#about.style_space, Number(this.#about.style_channels));
        if (!(typeof strength === 'number' && strength >= 0 && strength <= 1)) {
          const allowed = 'a number from 0 (the content) to 1 (the style)';
          throw foundError('strength', briefly(strength), allowed);
        }
        const picture = await runtime.read(content);
        const { data, width, height } = picture;
        if (strength === 0) return runtime.picture(new Uint8ClampedArray(data), width, height);
        const encoded = await this.#encoded(picture);
        signal?.throwIfAborted();
        const { Tensor } = this.#parts;
        const one = new Tensor('float32', Float32Array.of(strength), [1, 1, 1, 1]);
        const vector = new Tensor('float32', numbers, [1, numbers.length, 1, 1]);
        const inputs = { ...encoded, style: vector, alpha: one, strength: one };
        const { stylized } = await this.#run('decoder', picture, inputs);
        if (stylized.data.includes(NaN)) {
          const allowed = 'another device or precision';
          throw foundError(this.device, 'a picture of no numbers (NaN)', allowed);
        }
        const result = interleaved(stylized, width, height);
        for (let k = 3; k < result.length; k += 4) result[k] = data[k];
        return runtime.picture(result, width, height);
      });
    }

    /** Gives back what the model takes; nothing can be stylized after. */
    dispose() {
      return this.#next(undefined, async () => {
        this.#forget();
        for (const session of Object.values(this.#parts.sessions)) await session.release();
        this.#parts = null;
      });
    }

    /** What the decoder takes of a content; a slider's next move finds it here. */
    async #encoded(picture) {
      if (this.#kept && isSame(this.#kept.picture, picture)) return this.#kept.encoded;
      this.#forget();
      const image = this.#planes(filled(picture));
      const encoded = { image, ...(await this.#run('encoder', picture, { image })) };
      const data = new Uint8Array(picture.data); // of a Buffer, slice would be no copy
      this.#kept = { picture: { ...picture, data }, encoded };
      return encoded;
    }

    #forget() {
      for (const tensor of Object.values(this.#kept?.encoded ?? {})) tensor.dispose();
      this.#kept = null;
    }

    #planes(picture) {
      return new this.#parts.Tensor('float32', ...planar(picture, Number(this.#about.stride)));
    }

    async #run(part, { width, height }, inputs) {
      try {
        return await this.#parts.sessions[part].run(inputs);
      } catch (error) {
        const found = `a failure of the ${part} at ${width} x ${height} (${briefly(error)})`;
        throw foundError(this.device, found, 'what fits its memory; a smaller picture may', error);
      }
    }

    #next(signal, work) {
      return this.#turns.next(signal, () => {
        if (!this.#parts) throw foundError('stylizer', 'one that was disposed of', 'a new one');
        return work();
      });
    }
  };

  async function bytesAt(at) {
    try {
      return await runtime.load(at);
    } catch (error) {
      const allowed = 'the folder that holds the files of the model';
      throw foundError('models', `nothing to read at ${at} (${briefly(error)})`, allowed, error);
    }
  }

  function locations(models, precision) {
    const folder = models instanceof URL ? models.href : models;
    if (typeof folder !== 'string') {
      throw foundError('models', briefly(models), 'a URL or a folder');
    }
    const suffix = (part) => (precisionOf(part, precision) === 'fp32' ? '' : `-${precision}`);
    const at = (part) => `${folder.replace(/\/$/, '')}/adain-${MODEL}-${part}${suffix(part)}.onnx`;
    return Object.fromEntries(Object.keys(INSIDE).map((part) => [part, at(part)]));
  }
}

/** The precision of a part's file: styles are encoded once, in float32. */
const precisionOf = (part, precision) => (part === 'style' ? 'fp32' : precision);

/** The decoder's metadata; throws unless all are of one export, and what was asked for. */
function checkedFiles(files, bytes, precision) {
  const notes = Object.entries(bytes).map(([part, content]) => [part, metadata(content)]);
  const decoder = notes.find(([part]) => part === 'decoder')[1];
  const same = { model: MODEL, contract: CONTRACT, weights_sha256: decoder.weights_sha256 };
  for (const [part, note] of notes) {
    const wanted = { part, precision: precisionOf(part, precision), ...same };
    for (const [key, value] of Object.entries(wanted)) {
      if (note[key] === value) continue;
      const found = `a file at ${files[part]} whose ${key} is ${note[key]}`;
      throw foundError('models', found, `adain's files of one export, ${key} ${value}`);
    }
  }
  return decoder;
}

/** Whether two pictures are the same bytes. */
function isSame(one, other) {
  const [a, b] = [one.data, other.data];
  if (one.width !== other.width || a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}
