import { Stylizer } from 'adain/worker';

const element = (id) => document.getElementById(id);
const [photo, strength, canvas, status] = ['photo', 'strength', 'result', 'status'].map(element);
const say = (text) => (status.textContent = text);
let style; // as the model sees it
let newest; // aborts what waits for its turn
const creating = Stylizer.create();

async function update() {
  newest?.abort();
  const { signal } = (newest = new AbortController());
  if (!photo.files[0] || !style) return;
  const stylizer = await creating;
  const start = performance.now();
  const given = { strength: Number(strength.value), signal };
  const picture = await stylizer.stylize(photo.files[0], style, given);
  Object.assign(canvas, { width: picture.width, height: picture.height });
  canvas.getContext('2d').putImageData(picture, 0, 0);
  say(`${Math.round(performance.now() - start)} ms on ${stylizer.device}`);
}

async function encode() {
  style = await (await creating).encodeStyle(element('style').files[0]);
  await update();
}

/** Runs `work`, and says what went wrong; newer work is no mistake. */
const trying = (work) => () =>
  work().catch((error) => error.name === 'AbortError' || say(error.message));

photo.onchange = strength.oninput = trying(update);
element('style').onchange = trying(encode);
trying(async () => say(`Ready on ${(await creating).device}: choose a photo and a style.`))();
