// onnxruntime-web on WebGPU or WebAssembly.
import { briefly, foundError } from './errors.js';
import { checked } from './images.js';

const PICTURES = ', an ImageData, Blob, image or video element, canvas or ImageBitmap';

export const runtime = {
  devices: ['webgpu', 'wasm'],
  picture: (data, width, height) => new ImageData(data, width, height),

  async read(image) {
    const isDrawn = image && typeof image === 'object' && !image.data;
    return checked(isDrawn ? await drawn(image) : image, PICTURES);
  },

  /** Options as another thread understands them, whose address is another. */
  sent({ models, wasmPaths, ...options }) {
    const isText = (at) => typeof at === 'string' || at instanceof URL;
    const whole = (at) => (isText(at) ? new URL(at, document.baseURI).href : at);
    const each = (paths) => Object.fromEntries(Object.entries(paths).map(([k, v]) => [k, whole(v)]));
    if (models !== undefined) options.models = whole(models);
    if (wasmPaths) options.wasmPaths = isText(wasmPaths) ? whole(wasmPaths) : each(wasmPaths);
    return options;
  },

  async load(at) {
    const response = await fetch(at);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  },

  async open(bytes, device, precision, options) {
    if (device === 'wasm') return opened(bytes, device, options);
    const trouble = await troubleOfGPU(precision, device === 'auto');
    if (device === 'webgpu') {
      if (trouble) throw foundError('device', `webgpu, and ${trouble}`, 'wasm or auto');
      return opened(bytes, device, options);
    }
    const wasm = () => opened(bytes, 'wasm', options);
    return trouble ? wasm() : opened(bytes, 'webgpu', options).catch(wasm);
  },
};

/** Why WebGPU would not do; nothing if it would. */
async function troubleOfGPU(precision, fast) {
  const gpu = await globalThis.navigator?.gpu?.requestAdapter().catch(() => null);
  if (!gpu) return 'no WebGPU in this browser';
  const half = gpu.features.has('shader-f16');
  if (precision === 'fp16' && !half) return 'a GPU without half precision (fp32 needs none)';
  // A fallback adapter is the CPU in disguise, and slower than WebAssembly.
  return fast && gpu.info?.isFallbackAdapter ? 'a GPU that is the CPU' : undefined;
}

async function opened(bytes, device, { threads, wasmPaths }) {
  const onGPU = device === 'webgpu';
  const loading = onGPU ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm');
  const ort = await loading.catch((error) => {
    const found = `no package that can be loaded (${briefly(error)})`;
    throw foundError('onnxruntime-web', found, 'npm install onnxruntime-web', error);
  });
  // Threads share memory, which browsers allow to isolated pages only.
  const most = globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;
  ort.env.wasm.numThreads = Math.min(threads ?? most, most);
  if (wasmPaths) ort.env.wasm.wasmPaths = wasmPaths;
  const sessions = {};
  for (const part in bytes) {
    sessions[part] = await ort.InferenceSession.create(bytes[part], {
      executionProviders: [device],
      // What the decoder needs again and again stays on the GPU.
      preferredOutputLocation: onGPU && part === 'encoder' ? 'gpu-buffer' : 'cpu',
    });
  }
  return { device, sessions, Tensor: ort.Tensor };
}

/** The pixels of whatever a browser can draw. */
async function drawn(image) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(image);
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height);
  } catch (error) {
    const found = `${briefly(image)} that this browser cannot read (${briefly(error)})`;
    const allowed = `{data, width, height} with RGB or RGBA bytes${PICTURES}`;
    throw foundError('image', found, allowed, error);
  } finally {
    bitmap?.close();
  }
}
