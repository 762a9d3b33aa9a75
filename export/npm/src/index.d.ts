/// <reference lib="dom" />

/** A mistake that a caller can mend: one line of what was found and what is allowed. */
export class AdaINError extends Error {}

/** Bytes of upright sRGB pixels, row by row: RGB or RGBA, alpha not premultiplied. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** RGBA; in browsers an ImageData. */
export interface Picture extends Pixels {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** What is taken as a picture: in Node.js, Pixels alone. */
export type Image = Pixels | Blob | ImageBitmapSource;

/** The style of a picture or a mixture of several, as one model sees it. */
export class Style {
  constructor(vector: Float32Array, model: string, weights: string);
  readonly vector: Float32Array;
  /** The model that encoded it. */
  readonly model: string;
  /** What its numbers mean: the digest of the model's weights. */
  readonly weights: string;
  /** The style in a file that `save`, here or in Python, wrote. */
  static load(bytes: ArrayBuffer | Uint8Array): Style;
  /** The mixture of styles (AdaIN eq. 15); shares of 0 and more are divided by their sum. */
  static mix(pairs: ReadonlyArray<readonly [Style, number]>): Style;
  /** The bytes of a safetensors file. */
  save(): Uint8Array<ArrayBuffer>;
}

export interface CreateOptions {
  /** `cpu` in Node.js; `webgpu` or `wasm` in browsers; by default `auto`. */
  device?: 'auto' | 'webgpu' | 'wasm' | 'cpu';
  /** Of the model's files: `fp16`, the default, or with `models` also `fp32`. */
  precision?: 'fp16' | 'fp32';
  /** The folder or URL of adain-fast-encoder-fp16.onnx and so on; by default those inside. */
  models?: string | URL;
  /** By default one per core, in browsers up to 8, and 1 where the page is not isolated. */
  threads?: number;
  /** Browsers: where the .wasm and .mjs files of onnxruntime-web lie, if no bundler knows. */
  wasmPaths?: string | { wasm?: string | URL; mjs?: string | URL };
}

export interface CallOptions {
  /** Leaves the call out if aborted before its turn; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export class Stylizer {
  private constructor();
  static create(options?: CreateOptions): Promise<Stylizer>;
  /** What really runs. */
  readonly device: 'webgpu' | 'wasm' | 'cpu';
  readonly precision: 'fp16' | 'fp32';
  /** `maxSide`: larger pictures are brought down to it, by default 512; smaller is finer. */
  encodeStyle(image: Image, options?: CallOptions & { maxSide?: number }): Promise<Style>;
  /**
   * The content in the style, exactly as large, its alpha kept. `strength` goes from 0 (exactly the
   * content) to 1, the default. The last content stays encoded: another strength or style for it
   * costs one pass of the decoder.
   */
  stylize(
    content: Image,
    style: Style,
    options?: CallOptions & { strength?: number },
  ): Promise<Picture>;
  /** Gives back memory and threads. */
  dispose(): Promise<void>;
}
