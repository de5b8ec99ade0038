import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { WsIdentity } from '../auth/authenticator.interface.js';
import { UpgradeAuthentication } from '../auth/upgrade-authentication.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import type { Codec } from '../protocol/codec.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { WorkerIdentity } from '../runtime/worker-identity.js';
import { ConnectionHandler } from './connection.handler.js';
import type { Endpoint } from './endpoint.js';
import { refuseUpgrade, type HttpRefusal } from './http-refusal.js';
import { negotiateCodec, problemOfHandshake } from './upgrade-request.js';

const REFUSALS = {
  unauthenticated: { status: 401, body: 'Unauthorized.' },
  forbidden: { status: 403, body: 'Forbidden.' },
  failed: { status: 500, body: 'Internal server error.' },
  late: { status: 503, body: 'The upgrade took too long.', headers: { 'Retry-After': '1' } },
  closed: { status: 503, body: 'The server takes no connections now.', headers: { 'Retry-After': '1' } },
  protocol: { status: 400, body: 'Offer pxl.v1 beside bearer.<token>.' },
} as const satisfies Record<string, HttpRefusal>;

/** One upgrade on its way. */
interface Upgrade {
  readonly endpoint: Endpoint;
  readonly server: Server;
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  readonly head: Buffer;
  readonly codec: Codec;
  readonly clientId: string;
  readonly startedAt: number;
}

/** One HTTP upgrade on a path of ours: from the request to 101, or to a refusal that the client can read. */
@Injectable()
export class UpgradeHandler {
  readonly #logger = new Logger('PxlWebSocket');
  #isOpen = false;
  #warnedOfCut = false;

  constructor(
    private readonly authentication: UpgradeAuthentication,
    private readonly connections: ConnectionHandler,
    private readonly errors: ErrorReporter,
    private readonly identity: WorkerIdentity,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Upgrades are taken from now on; before that, and after `close`, they are answered 503. */
  open(): void {
    this.#isOpen = true;
  }

  close(): void {
    this.#isOpen = false;
  }

  /** The stream has an error listener already: a reset at any time ends this upgrade, nothing else. */
  handle(endpoint: Endpoint, server: Server, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const problem = this.#isOpen ? problemOfHandshake(request) : REFUSALS.closed;
    const codec = problem ? undefined : negotiateCodec(request);
    if (!codec) {
      refuseUpgrade(stream, problem ?? REFUSALS.protocol, this.runtime);
      return;
    }
    const clientId = this.identity.createClientId();
    const upgrade = { endpoint, server, request, stream, head, codec, clientId, startedAt: this.runtime.monotonic() };
    if (!this.options.auth.authenticate) {
      this.#accept(upgrade, {});
      return;
    }
    // In a scope of its own: what an authenticator sets with `enterWith` must not stay with the socket.
    const scope = new AsyncResource('WsUpgrade', { requireManualDestroy: true });
    void scope.runInAsyncScope(() => this.#authenticate(upgrade));
  }

  async #authenticate(upgrade: Upgrade): Promise<void> {
    const { request, stream, clientId } = upgrade;
    const limit = this.options.limits.upgradeTimeout;
    const timer =
      limit === false
        ? undefined
        : this.runtime.timeout(limit, () => refuseUpgrade(stream, REFUSALS.late, this.runtime));
    const result = await this.authentication.authenticate({ source: 'upgrade', request, clientId });
    timer?.cancel();
    if (result.outcome === 'failed') this.errors.report('The authentication of an upgrade failed.', result.error);
    if (stream.destroyed || stream.writableEnded) {
      this.#gone(upgrade);
      return;
    }
    if (!this.#isOpen) refuseUpgrade(stream, REFUSALS.closed, this.runtime);
    else if (result.outcome === 'accepted') this.#accept(upgrade, result.identity);
    else refuseUpgrade(stream, REFUSALS[result.outcome], this.runtime);
  }

  #accept(upgrade: Upgrade, identity: WsIdentity): void {
    const { endpoint, request, stream, head, codec, clientId } = upgrade;
    // Corked, so that the 101 and the welcome leave in one write.
    stream.cork();
    try {
      endpoint.webSocketServer.handleUpgrade(request, stream, head, (socket) => {
        this.connections.accept({ endpoint, socket, stream, request, clientId, codec, identity });
        endpoint.webSocketServer.emit('connection', socket, request);
      });
    } catch (error) {
      this.errors.report('An upgrade failed.', error);
      stream.destroy();
    } finally {
      stream.uncork();
    }
  }

  /** Socket.IO beside us ends what it does not own after a second, unless it is told not to. */
  #gone({ server, startedAt, stream }: Upgrade): void {
    const limit = this.options.limits.upgradeTimeout;
    const took = this.runtime.monotonic() - startedAt;
    const wasCut = stream.writableEnded && (limit === false || took < limit);
    if (!wasCut || server.listenerCount('upgrade') < 2 || this.#warnedOfCut) return;
    this.#warnedOfCut = true;
    this.#logger.warn(
      'Another listener ended an upgrade while it was being authenticated: give Socket.IO the option destroyUpgrade: false.',
    );
  }
}
