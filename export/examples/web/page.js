// The page: what should be seen, and a worker that computes the newest of it.
// Tells other programs of every result by the event 'stylized' on the document.
import { Camera } from './camera.js';
import { Picker } from './picker.js';
import { PHOTOS } from './photos.js';
import { download, pixels } from './pictures.js';
import { STYLES } from './styles.js';

const STYLE_SIDE = 512; // styles are learned, and best, at about this size
const LOADING = 'Loading the model…';
const NAMES = { webgpu: 'WebGPU', wasm: 'WebAssembly' };

const element = (id) => document.getElementById(id);
const [result, alpha, side, status] = ['result', 'alpha', 'side', 'status'].map(element);
const context = result.getContext('2d');

const wanted = { content: null, style: null, alpha: 1 }; // what should be seen
let sent = {}; // what the worker was last asked for
let worker; // computes one result at a time
let running = null; // {device, threads} once the model is loaded
let started = 0; // when the result now awaited was asked for; 0 while none is
const camera = new Camera();
let photo, photoName; // as chosen, before it is brought to the wanted size

function say(sentence) {
  const trouble = element('trouble');
  trouble.textContent = sentence ?? '';
  trouble.hidden = !sentence;
  if (sentence) trouble.scrollIntoView({ block: 'nearest' });
}

function start(device) {
  worker?.terminate();
  [sent, running, started] = [{}, null, 0];
  status.textContent = LOADING;
  worker = new Worker('worker.js', { type: 'module' });
  worker.onmessage = ({ data }) => {
    if (data.ready) running = data.ready;
    else if (data.bytes) show(data);
    else return fail(data.trouble);
    update();
  };
  worker.onerror = (event) => fail(event.message || 'this browser cannot run it');
  worker.postMessage({ device });
}

/** Asks for what is wanted if nothing is under way: of many slider positions only the newest. */
function update() {
  const names = wanted.content && wanted.style ? ['content', 'style', 'alpha'] : [];
  const fresh = names.filter((name) => wanted[name] !== sent[name]);
  result.setAttribute('aria-busy', Boolean(started) || fresh.length > 0);
  if (!running || started || !fresh.length) return;
  started = performance.now();
  // The first one takes longer than the next.
  if (status.textContent === LOADING) status.textContent = 'Drawing the first picture…';
  const message = Object.fromEntries(fresh.map((name) => [name, wanted[name]]));
  sent = { ...wanted };
  worker.postMessage({ ...message, alpha: wanted.alpha });
}

function show({ bytes, width, height, ms }) {
  if (result.width !== width || result.height !== height) Object.assign(result, { width, height });
  context.putImageData(new ImageData(bytes, width, height), 0, 0);
  const total = performance.now() - started;
  started = 0;
  const threads = running.threads > 1 ? `${running.threads} threads` : 'one thread';
  const where = NAMES[running.device] + (running.device === 'wasm' ? `, ${threads}` : '');
  const rate = camera.on ? `${(1000 / total).toFixed(1)} pictures a second · ` : '';
  status.textContent = rate + `${total.toFixed(0)} ms · ${width} × ${height} · ${where}`;
  element('download').disabled = false;
  const detail = { ...running, ...ms, total, width, height, alpha: sent.alpha };
  document.dispatchEvent(new CustomEvent('stylized', { detail }));
  if (camera.on) wanted.content = camera.frame(); // the newest; those in between are left out
}

function fail(reason) {
  if (!running) {
    result.setAttribute('aria-busy', false);
    status.textContent = '';
    say(`The model could not be loaded: ${reason}.`);
  } else if (running.device === 'webgpu') {
    start('wasm');
  } else {
    const { width, height } = wanted.content;
    say(`The model could not run at ${width} × ${height} (${reason}); a smaller size may fit.`);
    wanted.content = null; // until another size or photo is chosen
    start('wasm'); // a worker that ran out of memory is of no further use
  }
}

function resize() {
  if (camera.on) return;
  wanted.content = pixels(photo, Number(side.value));
  say();
  update();
}

async function toggleCamera() {
  const button = element('camera');
  if (camera.on) {
    camera.stop();
    resize();
  } else {
    button.disabled = true; // until the person has answered
    try {
      await camera.start();
      wanted.content = camera.frame();
      say();
      update();
    } catch (error) {
      say(`The camera did not start: ${error.message}.`);
    }
    button.disabled = false;
  }
  button.textContent = camera.on ? 'Stop camera' : 'Camera';
}

const pickers = {
  content: new Picker(element('content'), PHOTOS, (picture, name) => {
    [photo, photoName] = [picture, name];
    if (camera.on) return toggleCamera();
    resize();
  }, say),
  style: new Picker(element('style'), STYLES, (picture) => {
    wanted.style = pixels(picture, STYLE_SIDE);
    say();
    update();
  }, say),
};

alpha.addEventListener('input', () => {
  wanted.alpha = Number(alpha.value);
  element('percent').textContent = `${Math.round(100 * wanted.alpha)} %`;
  update();
});
side.addEventListener('change', resize);
element('camera').addEventListener('click', toggleCamera);
element('download').addEventListener('click', () => {
  download(result, `${photoName.replace(/\.[^.]*$/, '')}-stylized.png`);
});

/** The picker that something was dropped on or pasted into; the photo's elsewhere. */
const pickerOf = (node) => pickers[node.closest?.('.picker')?.id] ?? pickers.content;
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  pickerOf(event.target).take(event.dataTransfer.files);
});
document.addEventListener('paste', (event) => {
  const files = event.clipboardData.files;
  if (files.length) pickerOf(document.activeElement).take(files);
});

start(new URLSearchParams(location.search).get('device'));
