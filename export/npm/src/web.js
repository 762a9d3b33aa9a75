// The package in browsers.
import { runtime } from './runtime-web.js';
import { stylizerOn } from './stylizer.js';

export { AdaINError } from './errors.js';
export { Style } from './style.js';
export const Stylizer = stylizerOn(runtime);
