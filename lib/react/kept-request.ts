import { isPage } from '../hooks/own-client.js';

/** How long an answer waits for a component to show it, in ms: one that waits for other answers too is mounted later. */
const PATIENCE = 30_000;

/** A request whose answer is kept, since `use()` of a new promise in each render would ask for ever. */
export class KeptRequest<Reply> {
  promise: Promise<Reply>;
  readonly #ask: () => Promise<Reply>;
  readonly #forget: () => void;
  /** The mounted components that show it: what tells them of another promise. */
  readonly #users = new Set<() => void>();
  #hasFailed = false;

  constructor(ask: () => Promise<Reply>, forget: () => void) {
    this.#ask = ask;
    this.#forget = forget;
    this.promise = this.#asked();
  }

  /** Takes on a component. */
  add(user: () => void): () => void {
    this.#users.add(user);
    return () => {
      this.#users.delete(user);
      // StrictMode unmounts and mounts in one turn.
      queueMicrotask(this.#release);
    };
  }

  /** A component renders it. One that has failed before any could be mounted is asked anew by the next attempt. */
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

/** What a component sees of a request. */
type ShownRequest<Reply> = Pick<KeptRequest<Reply>, 'promise' | 'add' | 'renew'>;

/** By client, and by what is asked. */
const requestsByClient = new WeakMap<object, Map<string, KeptRequest<unknown>>>();
/** The one of a server that renders, which asks nothing. */
let unasked: ShownRequest<never> | undefined;

/** The request that a component renders: the kept one where there is one. */
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
  // Nobody may wait for it.
  promise.catch(() => undefined);
  return promise;
}
