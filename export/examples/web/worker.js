// The model in a thread of its own, so that the page stays smooth while it computes.
// In: {device} once, then {content?, style?, alpha}, pictures as ImageData, only if they are new.
// Out: {ready: {device, threads}}, {bytes, width, height, ms} or {trouble}.
import { load } from './model.js';

let model, content, style, width, height;

/** `encode()` in place of `old`, whose memory is given back. */
async function renew(old, encode) {
  const fresh = await encode();
  for (const tensor of Object.values(old ?? {})) tensor.dispose();
  return fresh;
}

async function stylize({ data: wanted }) {
  const ms = {};
  const timed = async (name, work) => {
    const start = performance.now();
    const result = await work();
    ms[name] = performance.now() - start;
    return result;
  };
  if (wanted.content) {
    ({ width, height } = wanted.content);
    const encode = () => model.encodeContent(wanted.content);
    content = await timed('encoder', () => renew(content, encode));
  }
  if (wanted.style) {
    const encode = () => model.encodeStyle(wanted.style);
    style = await timed('style', () => renew(style, encode));
  }
  const decode = () => model.decode(content, style, wanted.alpha, width, height);
  const bytes = await timed('decoder', decode);
  postMessage({ bytes, width, height, ms }, [bytes.buffer]);
}

async function start({ data: { device } }) {
  model = await load(device);
  postMessage({ ready: { device: model.device, threads: model.threads } });
}

onmessage = (message) => {
  const work = model ? stylize : start;
  work(message).catch((error) => {
    const [reason] = String(error?.message ?? error).split('\n');
    postMessage({ trouble: reason.slice(0, 200) });
  });
};
