import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Runtime } from '../../runtime/runtime.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import { refuseUpgrade, type HttpRefusal } from './http-refusal.js';
import { serveAsOrdinaryRequest } from './ordinary-request.js';
import type { UpgradeHandler } from './upgrade.handler.js';
import { pathOf } from './upgrade-request.js';

const NOT_FOUND: HttpRefusal = { status: 404, body: 'Nothing is here.' };
const CLOSED: HttpRefusal = { status: 503, body: 'The server is shutting down.' };

/** Takes an upgrade that is no client's. The stream has a listener for errors. */
export type UpgradeTaker = (request: IncomingMessage, stream: Duplex, head: Buffer) => void;

/** What a listener on the upgrades of one server works with. */
export interface UpgradeListenerOptions {
  readonly server: Server;
  readonly find: (path: string) => Endpoint | undefined;
  /** Who else of the library takes the upgrades of a path. */
  readonly takerOf?: ((path: string) => UpgradeTaker | undefined) | undefined;
  /** Called with each connection that is upgraded, also by others. */
  readonly upgrading?: ((stream: Duplex) => void) | undefined;
  readonly handler: UpgradeHandler;
  readonly runtime: Runtime;
  /** Milliseconds until an upgrade that nobody answers gets 404; false: never. */
  readonly foreignTimeout: number | false;
}

/** Decides whose each upgrade of a server is: an endpoint's, nobody's, or perhaps that of another listener. */
export class UpgradeListener {
  /** Upgrades that another listener may answer, each with the function that refuses it. */
  readonly #foreign = new Map<Duplex, (refusal: HttpRefusal) => void>();

  constructor(private readonly options: UpgradeListenerOptions) {
    options.server.on('upgrade', this.#onUpgrade);
  }

  /** Takes the listener off; foreign upgrades that still wait get 503. */
  close(): void {
    this.options.server.off('upgrade', this.#onUpgrade);
    for (const refuse of [...this.#foreign.values()]) refuse(CLOSED);
  }

  readonly #onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const { server, find, takerOf, upgrading, handler, runtime } = this.options;
    upgrading?.(stream);
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      serveAsOrdinaryRequest(server, request, stream, head);
      return;
    }
    // Before anything else: without a listener for errors, a reset would end the process.
    stream.on('error', onStreamError);
    const path = pathOf(request);
    const take = takerOf?.(path);
    if (take) {
      take(request, stream, head);
      return;
    }
    const endpoint = find(path);
    if (endpoint) handler.handle(endpoint, server, request, stream, head);
    else if (server.listenerCount('upgrade') === 1) refuseUpgrade(stream, NOT_FOUND, runtime);
    else this.#waitForOthers(stream);
  };

  /**
   * Waits for another listener to answer. An upgrade that nobody answers would keep its descriptor for ever and block the
   * close of the server, so it is refused when nothing has been written to it for `upgrade.foreignTimeout`.
   */
  #waitForOthers(stream: Duplex): void {
    const { foreignTimeout, runtime } = this.options;
    const written = bytesWrittenTo(stream);
    const refuse = (refusal: HttpRefusal): void => {
      this.#foreign.delete(stream);
      timer?.cancel();
      if (bytesWrittenTo(stream) === written) refuseUpgrade(stream, refusal, runtime);
    };
    const timer = foreignTimeout === false ? undefined : runtime.timeout(foreignTimeout, () => refuse(NOT_FOUND));
    this.#foreign.set(stream, refuse);
    stream.once('close', () => {
      this.#foreign.delete(stream);
      timer?.cancel();
    });
  }
}

function bytesWrittenTo(stream: Duplex): number {
  return 'bytesWritten' in stream && typeof stream.bytesWritten === 'number' ? stream.bytesWritten : 0;
}

/** Node destroys a socket that fails; code that goes on after a wait checks `destroyed`. */
function onStreamError(): void {}
