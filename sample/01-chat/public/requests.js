const ANSWER_WITHIN = 10_000;

/** The code of a request that no server has answered, because the connection is gone. */
export const OFFLINE = 'OFFLINE';

/** A request that was refused or lost: `message` is a sentence for people, `code` is for programs. */
export class RequestError extends Error {
  constructor({ error, code }) {
    super(error);
    this.code = code;
  }
}

/** The requests that wait for their answers, by the ids that the server sends back with them. */
export class Requests {
  #lastId = 0;
  #waiting = new Map();

  /** The answer of a request that cannot even be sent. */
  static refused(error) {
    return Promise.reject(new RequestError({ error, code: OFFLINE }));
  }

  /** The id to send with a new request, and the promise of its answer. */
  start() {
    const id = ++this.#lastId;
    const answer = new Promise((resolve, reject) => {
      const refuse = (refusal) => reject(new RequestError(refusal));
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        refuse({ error: 'The server did not answer in time.', code: 'TIMEOUT' });
      }, ANSWER_WITHIN);
      this.#waiting.set(id, { resolve, refuse, timer });
    });
    return { id, answer };
  }

  /** Gives the answer to whoever waits for it; false when nobody does. */
  answered({ id, type, response, data }) {
    const request = this.#waiting.get(id);
    if (!request) return false;
    this.#waiting.delete(id);
    clearTimeout(request.timer);
    if (type === 'error') request.refuse(data);
    else request.resolve(response);
    return true;
  }

  /** Rejects everything that waits. */
  abandon(error) {
    for (const { refuse, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      refuse({ error, code: OFFLINE });
    }
    this.#waiting.clear();
  }
}
