import { parentPort } from 'node:worker_threads';
import { Stylizer } from './node.js';
import { served } from './remote.js';

const post = (answer, moved) => parentPort.postMessage(answer, moved);
parentPort.on('message', served(Stylizer, post));
