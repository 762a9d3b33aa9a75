// The package in Node.js, its work in a thread.
import { Worker } from 'node:worker_threads';
import { remoteOn } from './remote.js';
import { runtime } from './runtime-node.js';

export { AdaINError } from './errors.js';
export { Style } from './style.js';

export const Stylizer = remoteOn(runtime, (answer, fail) => {
  const worker = new Worker(new URL('./thread-node.js', import.meta.url), { execArgv: [] });
  worker.unref(); // an idle one keeps no program from ending
  worker.on('message', (message) => {
    worker.unref();
    answer(message);
  });
  worker.on('error', ({ message }) => fail(`a thread that failed (${message})`));
  return {
    post(call) {
      worker.ref();
      worker.postMessage(call);
    },
    end: () => worker.terminate(),
  };
});
