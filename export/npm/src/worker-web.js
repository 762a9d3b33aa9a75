// The package in browsers, its work in a Web Worker.
import { remoteOn } from './remote.js';
import { runtime } from './runtime-web.js';

export { AdaINError } from './errors.js';
export { Style } from './style.js';

export const Stylizer = remoteOn(runtime, (answer, fail) => {
  const worker = new Worker(new URL('./thread-web.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => answer(data);
  worker.onerror = ({ message }) =>
    fail(`a thread that failed (${message || 'it could not start'})`);
  return { post: (call) => worker.postMessage(call), end: () => worker.terminate() };
});
