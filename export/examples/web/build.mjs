// Puts what the page loads beside it: ONNX Runtime Web into ort/, the model's parts into models/.
// This folder can then be published as it is.
//
// node build.mjs [FOLDER OF THE MODEL'S FILES]
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const runtime = join(here, 'node_modules', 'onnxruntime-web', 'dist');
const weights = process.argv[2] ?? join(here, '..', '..', '..', 'weights');

const copies = {
  ort: [
    runtime,
    'ort.wasm.min.mjs', // WebAssembly alone
    'ort-wasm-simd-threaded.mjs',
    'ort-wasm-simd-threaded.wasm',
    'ort.webgpu.min.mjs', // with WebGPU, which only browsers that have it fetch
    'ort-wasm-simd-threaded.asyncify.mjs',
    'ort-wasm-simd-threaded.asyncify.wasm',
  ],
  models: [
    weights,
    'adain-fast-encoder.onnx',
    'adain-fast-style.onnx',
    'adain-fast-decoder.onnx',
  ],
};

for (const [folder, [source, ...names]] of Object.entries(copies)) {
  await mkdir(join(here, folder), { recursive: true });
  for (const name of names) {
    await copyFile(join(source, name), join(here, folder, name)).catch((error) => {
      console.error(`${name} is not in ${source} (${error.code})`);
      if (source === runtime) console.error('run npm install first');
      process.exit(1);
    });
  }
}
