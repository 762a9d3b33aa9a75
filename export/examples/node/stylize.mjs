// A photo in the style of another picture, by ONNX Runtime for Node.js.
//
// node stylize.mjs adain-fast.onnx photo.jpg style.jpg 0.8 out.png
import sharp from 'sharp';

process.env.ORT_DISABLE_TELEMETRY ??= '1'; // read as ONNX Runtime is loaded
const { default: ort } = await import('onnxruntime-node');

const STYLE_SIDE = 512; // styles are learned at about this size

/** The picture upright, as a uint8 tensor [1, H, W, 3]. */
async function read(path, maxSide) {
  let image = sharp(path).autoOrient();
  if (maxSide) image = image.resize(maxSide, maxSide, { fit: 'inside', withoutEnlargement: true });
  image = image.flatten({ background: 'white' }).toColourspace('srgb');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return new ort.Tensor('uint8', new Uint8Array(data), [1, info.height, info.width, 3]);
}

/** The strength as a number from 0 to 1. */
function strength(text) {
  const number = Number(text.trim() || NaN);
  if (number >= 0 && number <= 1) return number;
  throw new RangeError(`ALPHA: found ${text}; allowed: a number from 0 to 1`);
}

async function main(model, content, style, alpha, out) {
  // 'cuda', 'coreml' or 'dml' go before 'cpu' where your build of ONNX Runtime has them.
  const session = await ort.InferenceSession.create(model, { executionProviders: ['cpu'] });
  const inputs = {
    content: await read(content),
    style: await read(style, STYLE_SIDE),
    alpha: new ort.Tensor('float32', [strength(alpha)], [1]),
  };
  const start = performance.now();
  const { stylized } = await session.run(inputs);
  const milliseconds = performance.now() - start;
  const [, height, width, channels] = stylized.dims;
  await sharp(stylized.data, { raw: { width, height, channels } }).toFile(out);
  console.log(`${out}: ${milliseconds.toFixed(0)} ms`);
}

if (process.argv.length !== 7) {
  console.error('usage: node stylize.mjs MODEL CONTENT STYLE ALPHA OUT');
  process.exit(1);
}
await main(...process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
