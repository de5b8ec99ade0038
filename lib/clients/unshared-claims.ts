import { Inject, Injectable } from '@nestjs/common';
import { ModuleLogger } from '../errors/module-logger.js';
import type { WsUser } from '../ws-client/client-entry.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';

/** Names that are told at most; an application may look for those that a client has sent. */
const MOST = 100;
/** What tools look for in any object, to find out what it is: `JSON.stringify`, `await`, libraries of assertions. */
const OF_TOOLS = /^(?:toJSON|then|asymmetricMatch|nodeType|tagName|nodeName|inspect|[$@]{2}.*)$/;

/**
 * Warns of claims that somebody looks for in users of other workers, where they are not known: a predicate that goes by one
 * leaves those users out without a sign. Once for each claim.
 *
 * What stands in a payload is read as ever, listed and copied. Only a name that is not there is looked for in the prototype,
 * and that is where this hears of it; so it costs nothing for each client.
 */
@Injectable()
export class UnsharedClaims {
  readonly #logger = new ModuleLogger();
  readonly #shared: ReadonlySet<string>;
  readonly #told = new Set<string>();
  /** What payloads of other workers' users inherit from. */
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
    // With this name, payloads are shown as the plain objects that they are.
    const constructor = { value: Object, writable: true, configurable: true };
    this.#prototype = Object.create(listener, { constructor }) as object;
  }

  /** Has the payload of another worker's user tell of reads; in place, so that no client costs more by it. */
  watch<User extends WsUser>(user: User): User {
    Object.setPrototypeOf(user.payload, this.#prototype);
    return user;
  }

  /** Somebody has looked for a claim of another worker's user that is not there. */
  looksFor(name: string | symbol): void {
    if (typeof name === 'symbol' || this.#shared.has(name) || this.#told.has(name)) return;
    if (this.#told.size >= MOST || OF_TOOLS.test(name)) return;
    this.#told.add(name);
    this.#logger.warn(
      `The claim ${JSON.stringify(name.slice(0, 64))} was looked for in a user of another worker, where it is not known. ` +
        'Name it in cluster.shareUser, or what goes by it (a predicate of broadcastToAllClients, a filter, the client list) ' +
        'misses those users.',
    );
  }
}
