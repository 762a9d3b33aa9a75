// The package in Node.js.
import { runtime } from './runtime-node.js';
import { stylizerOn } from './stylizer.js';

export { AdaINError } from './errors.js';
export { Style } from './style.js';
export const Stylizer = stylizerOn(runtime);
