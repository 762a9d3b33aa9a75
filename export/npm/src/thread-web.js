import { served } from './remote.js';
import { Stylizer } from './web.js';

const answered = served(Stylizer, (answer, moved) => self.postMessage(answer, moved));
self.onmessage = ({ data }) => answered(data);
