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

/** What a listener on the upgrades of one server works with. */
export interface UpgradeListenerOptions {
  readonly server: Server;
  readonly find: (path: string) => Endpoint | undefined;
  /** Hears of each connection that is no HTTP server's any more, whosever it is now. */
  readonly upgrading?: ((stream: Duplex) => void) | undefined;
  readonly handler: UpgradeHandler;
  readonly runtime: Runtime;
  /** Milliseconds until an upgrade that nobody answers gets 404; false: never. */
  readonly foreignTimeout: number | false;
}

/** Decides whose upgrade it is: ours, nobody's, or perhaps another listener's of the same server. */
export class UpgradeListener {
  /** Upgrades that another listener may answer, with what ends the wait for it. */
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
    const { server, find, upgrading, handler, runtime } = this.options;
    upgrading?.(stream);
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      serveAsOrdinaryRequest(server, request, stream, head);
      return;
    }
    // First of all: without a listener, a reset from here on would end the process.
    stream.on('error', onStreamError);
    const endpoint = find(pathOf(request));
    if (endpoint) handler.handle(endpoint, server, request, stream, head);
    else if (server.listenerCount('upgrade') === 1) refuseUpgrade(stream, NOT_FOUND, runtime);
    else this.#waitForOthers(stream);
  };

  /**
   * Another listener may answer, now or later. An upgrade that nobody answers would keep its descriptor for ever and
   * hang the server's close, so it is refused once nothing has been written to it for the whole time.
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

/** A socket that fails is destroyed by Node itself; whoever works on it asks `destroyed`. */
function onStreamError(): void {}
