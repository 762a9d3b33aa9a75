// Runs the three parts of the model with ONNX Runtime Web; it knows nothing of the page.
import { metadata } from './metadata.js';
import { interleaved, planar } from './planes.js';

/** The model on `device`: 'webgpu', 'wasm', or null for WebGPU where it works. */
export async function load(device) {
  const gpu = await navigator.gpu?.requestAdapter().catch(() => null);
  // A fallback adapter is the CPU in disguise, and slower than WebAssembly.
  const chosen = device ?? (gpu && !gpu.info?.isFallbackAdapter ? 'webgpu' : 'wasm');
  return chosen === 'webgpu' && !device ? open(chosen).catch(() => open('wasm')) : open(chosen);
}

async function open(device) {
  const ort = await import(`./ort/ort.${device}.min.mjs`);
  // Threads share memory, which browsers allow to isolated pages only.
  const threads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;
  ort.env.wasm.numThreads = threads;
  const parts = {};
  let stride;
  for (const part of ['encoder', 'style', 'decoder']) {
    const bytes = await fetchBytes(`models/adain-fast-${part}.onnx`);
    stride = Number(metadata(bytes).stride);
    parts[part] = await ort.InferenceSession.create(bytes, {
      executionProviders: [device],
      // What the decoder needs again and again stays on the GPU.
      preferredOutputLocation: device === 'webgpu' && part !== 'decoder' ? 'gpu-buffer' : 'cpu',
    });
  }
  const tensor = (data, shape) => new ort.Tensor('float32', data, shape);
  const imageOf = (picture) => ({ image: tensor(...planar(picture, stride)) });
  return {
    device,
    threads,
    /** What the decoder needs of a photo: itself, features, statistics; `picture` is ImageData. */
    async encodeContent(picture) {
      const image = imageOf(picture);
      return { ...image, ...(await parts.encoder.run(image)) };
    },
    /** What the decoder needs of a style. */
    encodeStyle: (picture) => parts.style.run(imageOf(picture)),
    /** The RGBA bytes of the photo in the style; `alpha` goes from 0 (photo) to 1 (style). */
    async decode(content, style, alpha, width, height) {
      // Of the features and of the pixels, both of which could be maps.
      const strength = tensor(Float32Array.of(alpha), [1, 1, 1, 1]);
      const inputs = { ...content, ...style, alpha: strength, strength };
      const { stylized } = await parts.decoder.run(inputs);
      return interleaved(stylized, width, height);
    },
  };
}

async function fetchBytes(path) {
  const response = await fetch(new URL(path, import.meta.url));
  if (!response.ok) throw new Error(`${path} is missing: run npm run build`);
  return new Uint8Array(await response.arrayBuffer());
}
