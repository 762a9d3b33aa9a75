// Styles kept in files: encoded once, they repaint any photo without the picture they came from.
//
// node styles.mjs encode  MODELS style.jpg my.style
// node styles.mjs stylize MODELS photo.jpg my.style 0.8 out.png
//
// MODELS is a folder with the model's parts. my.style is a safetensors file, which `adain stylize`
// and Style.load in Python take as well, and write.
import { readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { metadata } from '../web/metadata.js';
import { interleaved, planar } from '../web/planes.js';

process.env.ORT_DISABLE_TELEMETRY ??= '1'; // read as ONNX Runtime is loaded
const { default: ort } = await import('onnxruntime-node');

const KIND = 'adain style';
const STYLE_SIDE = 512; // styles are learned at about this size
const tensor = (numbers, shape) => new ort.Tensor('float32', numbers, shape);

/** A part of the model: its session, and what its file says of itself. */
async function open(models, part) {
  const bytes = await readFile(`${models}/adain-fast-${part}.onnx`);
  return { session: await ort.InferenceSession.create(bytes), about: metadata(bytes) };
}

/** The picture upright, RGBA on white, and its planes [1, 3, H, W] as the parts take them. */
async function read(path, stride, side) {
  let picture = sharp(path).autoOrient();
  if (side) picture = picture.resize(side, side, { fit: 'inside', withoutEnlargement: true });
  picture = picture.flatten({ background: 'white' }).toColourspace('srgb').ensureAlpha();
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  return { ...info, image: tensor(...planar({ ...info, data }, Number(stride))) };
}

async function encode(models, picture, out) {
  const { session, about } = await open(models, 'style');
  const { image } = await read(picture, about.stride, STYLE_SIDE);
  const { data } = (await session.run({ image })).style;
  const numbers = Buffer.from(data.buffer, data.byteOffset, data.byteLength); // little-endian
  const text = JSON.stringify({
    __metadata__: { kind: KIND, model: about.model, weights: about.style_space },
    style: { dtype: 'F32', shape: [data.length], data_offsets: [0, numbers.length] },
  });
  const header = Buffer.from(text.padEnd(8 * Math.ceil(text.length / 8))); // aligns the numbers
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  await writeFile(out, Buffer.concat([size, header, numbers]));
}

/** The numbers in a file as a tensor [1, K, 1, 1]; they must be of the decoder's weights. */
async function load(path, { style_space, style_channels }) {
  const file = await readFile(path);
  const start = 8 + (file.length < 8 ? NaN : Number(file.readBigUInt64LE()));
  if (!(start <= file.length)) throw new Error('found no safetensors header');
  const { __metadata__: about, style } = JSON.parse(file.subarray(8, start)) ?? {};
  if (about?.kind !== KIND) throw new Error('found another file');
  if (about.weights !== style_space)
    throw new Error(`found ${about.kind}, model ${about.model}, of other weights`);
  const length = Number(style_channels);
  const [begin, end] = style?.data_offsets ?? [];
  const whole = end - begin === 4 * length && start + end <= file.length;
  if (style?.dtype !== 'F32' || String(style.shape) !== style_channels || !whole)
    throw new Error(`found no ${length} float32 numbers`);
  const numbers = Float32Array.from({ length }, (_, k) => file.readFloatLE(start + begin + 4 * k));
  if (!numbers.every(Number.isFinite)) throw new Error('found a number that is not finite');
  return tensor(numbers, [1, length, 1, 1]);
}

/** The strength as a number from 0 to 1. */
function strengthOf(text) {
  const number = Number(text.trim() || NaN);
  if (number >= 0 && number <= 1) return number;
  throw new RangeError(`ALPHA: found ${text}; allowed: a number from 0 to 1`);
}

async function stylize(models, photo, path, alpha, out) {
  const [encoder, decoder] = [await open(models, 'encoder'), await open(models, 'decoder')];
  const style = await load(path, decoder.about).catch((error) => {
    throw new Error(`${path}: no style of this model (${error.message})`);
  });
  const { width, height, image } = await read(photo, encoder.about.stride);
  const content = { image, ...(await encoder.session.run({ image })) };
  // Of the pixels, and as `alpha` of the features: either could be a map.
  const strength = tensor([strengthOf(alpha)], [1, 1, 1, 1]);
  const inputs = { ...content, style, alpha: strength, strength };
  const { stylized } = await decoder.session.run(inputs);
  const raw = { width, height, channels: 4 };
  await sharp(interleaved(stylized, width, height), { raw }).removeAlpha().toFile(out);
}

const [, , command, ...names] = process.argv;
try {
  if (command === 'encode' && names.length === 3) await encode(...names);
  else if (command === 'stylize' && names.length === 5) await stylize(...names);
  else throw new Error('usage: encode MODELS STYLE OUT, or stylize MODELS CONTENT STYLE ALPHA OUT');
} catch (error) {
  console.error(error.message.split('\n')[0]);
  process.exitCode = 1;
}
