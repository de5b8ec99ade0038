import { Inject, Injectable } from '@nestjs/common';
import { ModuleLogger } from '../errors/module-logger.js';
import type { WsUser } from '../ws-client/client-entry.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';

/** How many names are logged at most, since an application may look for names that a client has sent. */
const MAX_TOLD = 100;
/** Names that tools read of any object to find out what it is: `JSON.stringify`, `await`, assertion libraries. */
const OF_TOOLS = /^(?:toJSON|then|asymmetricMatch|nodeType|tagName|nodeName|inspect|[$@]{2}.*)$/;

/**
 * Warns, once for each claim, when code reads a claim of another worker's user that is not shared: a predicate that uses it
 * leaves those users out without any error.
 *
 * It notices the read by the payload's prototype, where JavaScript looks for every name that the payload does not have. So
 * reading, listing and copying the claims that are there works as usual, and no client costs more.
 */
@Injectable()
export class UnsharedClaims {
  readonly #logger = new ModuleLogger();
  readonly #shared: ReadonlySet<string>;
  readonly #told = new Set<string>();
  /** The prototype of the payloads of other workers' users. */
  readonly #prototype: object;

  constructor(@Inject(PXL_WS_OPTIONS) { cluster }: Pick<ResolvedOptions, 'cluster'>) {
    this.#shared = new Set(cluster.shareUser);
    const listener = new Proxy<Record<string | symbol, unknown>>(
      {},
      {
        get: (object, name) => {
          if (!(name in object)) this.looksFor(name);
          return object[name];
        },
        has: (object, name) => {
          if (!(name in object)) this.looksFor(name);
          return name in object;
        },
      },
    );
    // With this constructor, inspection shows payloads as plain objects.
    const constructor = { value: Object, writable: true, configurable: true };
    this.#prototype = Object.create(listener, { constructor }) as object;
  }

  /** Gives the payload of another worker's user the prototype that notices reads. Changes the payload itself. */
  watch<User extends WsUser>(user: User): User {
    Object.setPrototypeOf(user.payload, this.#prototype);
    return user;
  }

  /** Logs the warning: code has looked for a claim that a user of another worker does not have here. */
  looksFor(name: string | symbol): void {
    if (typeof name === 'symbol' || this.#shared.has(name) || this.#told.has(name)) return;
    if (this.#told.size >= MAX_TOLD || OF_TOOLS.test(name)) return;
    this.#told.add(name);
    this.#logger.warn(
      `The claim ${JSON.stringify(name.slice(0, 64))} was looked for in a user of another worker, where it is not known. ` +
        'Name it in cluster.shareUser, or what goes by it (a predicate of broadcastToAllClients, a filter, the client list) ' +
        'misses those users.',
    );
  }
}
