// onnxruntime-node on the CPU.
import { readFile } from 'node:fs/promises';
import { briefly, foundError } from './errors.js';
import { checked } from './images.js';

export const runtime = {
  devices: ['cpu'],
  read: (image) => checked(image, ''),
  picture: (data, width, height) => ({ data, width, height }),

  /** Options as they are sent to another thread, which takes no URL objects. */
  sent: ({ models, ...options }) =>
    models === undefined ? options : { ...options, models: models?.href ?? models },

  async load(at) {
    if (!/^https?:/.test(at)) return readFile(String(at).startsWith('file:') ? new URL(at) : at);
    const response = await fetch(at);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  },

  async open(bytes, device, precision, { threads }) {
    process.env.ORT_DISABLE_TELEMETRY ??= '1'; // read as ONNX Runtime is loaded
    const { default: ort } = await import('onnxruntime-node').catch((error) => {
      const found = `no package that can be loaded (${briefly(error)})`;
      const allowed = 'npm install --ignore-scripts onnxruntime-node';
      throw foundError('onnxruntime-node', found, allowed, error);
    });
    const options = {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads ?? 0,
      // Threads that wait busily slow the other parts down.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    };
    const sessions = {};
    for (const part in bytes) {
      sessions[part] = await ort.InferenceSession.create(bytes[part], options);
    }
    return { device: 'cpu', sessions, Tensor: ort.Tensor };
  },
};
