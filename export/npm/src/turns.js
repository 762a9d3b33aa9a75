/** Works one after the other; one whose signal is aborted before its turn is left out. */
export class Turns {
  #last = Promise.resolve();

  next(signal, work) {
    const turn = this.#last.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
