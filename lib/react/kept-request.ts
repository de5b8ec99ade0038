import { isPage } from '../hooks/own-client.js';

/** How long an unused answer is kept, in ms: a component that waits for several answers is mounted after the last one. */
const PATIENCE = 30_000;

/** A request whose promise is kept: `use()` with a new promise in each render would request again without end. */
export class KeptRequest<Reply> {
  promise: Promise<Reply>;
  readonly #ask: () => Promise<Reply>;
  readonly #forget: () => void;
  /** The callbacks of the mounted components that show it; they are called when there is another promise. */
  readonly #users = new Set<() => void>();
  #hasFailed = false;

  constructor(ask: () => Promise<Reply>, forget: () => void) {
    this.#ask = ask;
    this.#forget = forget;
    this.promise = this.#asked();
  }

  /** Adds a component; returns a function that removes it. */
  add(user: () => void): () => void {
    this.#users.add(user);
    return () => {
      this.#users.delete(user);
      // StrictMode unmounts and mounts within one turn.
      queueMicrotask(this.#release);
    };
  }

  /** Called when a component renders it. A request that failed before a component was mounted is sent again. */
  rendered(): this {
    if (this.#hasFailed) setTimeout(this.#release);
    return this;
  }

  readonly renew = (): void => {
    this.promise = this.#asked();
    for (const tell of this.#users) tell();
  };

  #asked(): Promise<Reply> {
    const promise = this.#ask();
    this.#hasFailed = false;
    promise
      .catch(() => {
        this.#hasFailed = this.promise === promise;
      })
      .finally(() => setTimeout(this.#release, PATIENCE));
    return promise;
  }

  readonly #release = (): void => {
    if (this.#users.size === 0) this.#forget();
  };
}

/** A request as components see it. */
type ShownRequest<Reply> = Pick<KeptRequest<Reply>, 'promise' | 'add' | 'renew'>;

/** The kept requests of each client, by what they ask for. */
const requestsByClient = new WeakMap<object, Map<string, KeptRequest<unknown>>>();
/** The request on a server that renders; it is never sent. */
let unasked: ShownRequest<never> | undefined;

/** The request that a component renders: the kept one, or a new one. */
export function requestOf<Reply>(client: object, key: string, ask: () => Promise<Reply>): ShownRequest<Reply>;
export function requestOf(client: object, key: string, ask: () => Promise<unknown>): ShownRequest<unknown> {
  if (!isPage) return (unasked ??= { promise: refused(), add: () => () => undefined, renew() {} });
  const requests = requestsByClient.get(client) ?? new Map<string, KeptRequest<unknown>>();
  requestsByClient.set(client, requests);
  let request = requests.get(key);
  if (!request) {
    const made = new KeptRequest(ask, () => {
      if (requests.get(key) === made) requests.delete(key);
    });
    requests.set(key, (request = made));
  }
  return request.rendered();
}

function refused(): Promise<never> {
  const sentence = 'A server that renders asks nothing: put a <Suspense> around what waits for the answer.';
  const promise = Promise.reject(new Error(sentence));
  // The component may be gone before the promise rejects.
  promise.catch(() => undefined);
  return promise;
}
