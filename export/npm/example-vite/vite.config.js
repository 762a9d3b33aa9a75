// With these headers WebAssembly has threads; send them where the page is published, too.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default {
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['adain', 'onnxruntime-web'] },
  server: { headers },
  preview: { headers },
};
