// A Stylizer in a thread of its own: the caller's end, and the thread's.
// A call is {name, given}, its answer {result} or {error}; the next waits for it.
import { AdaINError, foundError } from './errors.js';
import { Style, styleOf } from './style.js';
import { Turns } from './turns.js';

/** The Stylizer class whose work is done by the threads that `spawn(answer, fail)` starts. */
export function remoteOn(runtime, spawn) {
  return class Stylizer {
    #turns = new Turns();
    #call;
    #end;

    constructor({ device, precision }, call, end) {
      Object.assign(this, { device, precision });
      [this.#call, this.#end] = [call, end];
    }

    static async create(options) {
      const { call, end } = connected(spawn);
      try {
        return new Stylizer(await call('create', runtime.sent(options ?? {})), call, end);
      } catch (error) {
        end();
        throw error;
      }
    }

    encodeStyle(image, { signal, ...options } = {}) {
      return this.#turns.next(signal, async () => {
        const style = await this.#call('encodeStyle', await runtime.read(image), options);
        return new Style(style.vector, style.model, style.weights);
      });
    }

    stylize(content, style, { signal, ...options } = {}) {
      return this.#turns.next(signal, async () => {
        const plain = { ...styleOf(style) };
        const picture = await runtime.read(content);
        signal?.throwIfAborted();
        const { data, width, height } = await this.#call('stylize', picture, plain, options);
        return runtime.picture(data, width, height);
      });
    }

    async dispose() {
      this.#end();
    }
  };
}

function connected(spawn) {
  let waiting; // for an answer
  let ended;
  const fail = (reason) => {
    ended ??= foundError('stylizer', reason, 'a new one');
    thread.end();
    waiting?.reject(ended);
  };
  const answer = ({ result, error }) => {
    if (!error) waiting.resolve(result);
    else waiting.reject(error.isOurs ? new AdaINError(error.message) : new Error(error.message));
  };
  const thread = spawn(answer, fail);
  const call = (name, ...given) =>
    new Promise((resolve, reject) => {
      if (ended) throw ended;
      waiting = { resolve, reject };
      thread.post({ name, given });
    });
  return { call, end: () => fail('one that was disposed of') };
}

/** The thread's end: answers calls by `post(answer, transferred)`. */
export function served(Stylizer, post) {
  let stylizer;
  const calls = {
    async create(options) {
      stylizer = await Stylizer.create(options);
      return { device: stylizer.device, precision: stylizer.precision };
    },
    encodeStyle: async (image, options) => ({ ...(await stylizer.encodeStyle(image, options)) }),
    async stylize(content, { vector, model, weights }, options) {
      const style = new Style(vector, model, weights);
      const { data, width, height } = await stylizer.stylize(content, style, options);
      return { data, width, height };
    },
  };
  return async ({ name, given }) => {
    try {
      const result = await calls[name](...given);
      post({ result }, result.data ? [result.data.buffer] : []);
    } catch (error) {
      const isOurs = error instanceof AdaINError;
      post({ error: { isOurs, message: String(error?.message ?? error) } }, []);
    }
  };
}
