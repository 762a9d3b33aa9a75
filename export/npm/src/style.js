// A style as what it is: a vector that can be kept, mixed and shared; the files are Python's.
import { briefly, foundError } from './errors.js';

const KIND = 'adain style';

export class Style {
  /** `vector` is what `model` encoded; `weights` says what its numbers mean. */
  constructor(vector, model, weights) {
    if (!(vector instanceof Float32Array && vector.length && vector.every(Number.isFinite))) {
      throw foundError('style', briefly(vector), 'a Float32Array of finite numbers');
    }
    this.vector = vector;
    this.model = model;
    this.weights = weights;
    Object.freeze(this);
  }

  /** The style in a file that `save`, here or in Python, wrote. */
  static load(bytes) {
    try {
      return parsed(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes);
    } catch (error) {
      const allowed = 'the bytes of a file that Style.save wrote';
      throw foundError('style', `no style (${briefly(error)})`, allowed, error);
    }
  }

  /** The bytes of a safetensors file. */
  save() {
    const { vector, model, weights } = this;
    const about = { kind: KIND, model, weights };
    const tensor = { dtype: 'F32', shape: [vector.length], data_offsets: [0, 4 * vector.length] };
    const text = new TextEncoder().encode(JSON.stringify({ __metadata__: about, style: tensor }));
    const size = Math.ceil(text.length / 8) * 8; // the numbers begin at a multiple of 8
    const bytes = new Uint8Array(8 + size + 4 * vector.length).fill(32, 8, 8 + size);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(size), true);
    bytes.set(text, 8);
    vector.forEach((value, k) => view.setFloat32(8 + size + 4 * k, value, true));
    return bytes;
  }

  /** The mixture of `[style, share]` pairs (AdaIN eq. 15); shares are divided by their sum. */
  static mix(pairs) {
    const list = Array.isArray(pairs) ? pairs : [];
    const isPair = (pair) =>
      pair?.[0] instanceof Style && Number.isFinite(pair[1]) && pair[1] >= 0;
    const bad = list.findIndex((pair) => !isPair(pair));
    const sum = list.reduce((total, pair) => total + Number(pair?.[1]), 0);
    if (bad >= 0 || !(sum > 0)) {
      const pair = list[bad];
      const shown = Array.isArray(pair) ? `[${pair.map(briefly)}]` : briefly(pair);
      const found = bad < 0 ? `${list.length} pairs of sum ${sum}` : shown;
      throw foundError('mix', found, 'pairs [Style, share], shares of 0 and more, not all 0');
    }
    const [[first]] = list;
    for (const [style] of list) style.checkFor(first.model, first.weights, first.vector.length);
    const at = (k) => list.reduce((v, [style, share]) => v + (share / sum) * style.vector[k], 0);
    const vector = first.vector.map((_, k) => at(k));
    return new Style(vector, first.model, first.weights);
  }

  /** Throws unless a model takes the style: of these weights, of `size` numbers. */
  checkFor(model, weights, size) {
    let found;
    const { length } = this.vector;
    if (this.model !== model) found = `one encoded by model ${briefly(this.model)}`;
    else if (this.weights !== weights) found = `one encoded by model "${model}" with other weights`;
    else if (length !== size) found = `a vector of ${length} numbers, not ${size}`;
    else return;
    throw foundError('style', found, `a Style of model "${model}" and the same weights`);
  }
}

/** The argument; throws unless it is a Style. */
export function styleOf(style) {
  if (style instanceof Style) return style;
  throw foundError('style', briefly(style), 'a Style, of encodeStyle, Style.load or Style.mix');
}

function parsed(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const { kind, model, weights } = header.__metadata__ ?? {};
  if (kind !== KIND) throw new Error('a safetensors file of another kind');
  const { dtype, shape, data_offsets: [begin, end] } = header.style;
  const [length] = shape;
  const isVector = dtype === 'F32' && shape.length === 1 && end - begin === 4 * length;
  if (!isVector) throw new Error('not a vector of float32');
  const at = (k) => view.getFloat32(start + begin + 4 * k, true);
  const vector = Float32Array.from({ length }, (_, k) => at(k));
  return new Style(vector, model, weights);
}
