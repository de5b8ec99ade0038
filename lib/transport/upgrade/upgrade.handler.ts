import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { Admission, type AdmissionResult, type Candidate } from '../../auth/admission.js';
import { AuthRefusals } from '../../auth/auth-refusals.js';
import { ClientAddress, networkOf } from '../../auth/client-address.js';
import { NOBODY, type Identity } from '../../auth/identity.js';
import { OriginPolicy } from '../../auth/origin-policy.js';
import { WsRequest } from '../../ws-client/ws-request.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import { ConnectionCounts } from '../../limits/connection-counts.js';
import { RefusalCounters } from '../../limits/refusal-counters.js';
import { CLOSE_CODES, type CloseReason } from '../../protocol/close-codes.js';
import type { Codec } from '../../protocol/codec.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Runtime } from '../../runtime/runtime.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { ConnectionHandler } from '../connection/connection.handler.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import { acceptAndClose, closeOf, readsCloseRefusals } from './close-refusal.js';
import { refuseUpgrade, type HttpRefusal } from './http-refusal.js';
import { OutboxServices } from '../outbox/outbox.services.js';
import type { AcceptedSocket } from '../connection/accepted-socket.js';
import { negotiateCodec, problemOfHandshake } from './upgrade-request.js';

const REFUSALS = {
  unauthenticated: { status: 401, body: 'Unauthorized.' },
  forbidden: { status: 403, body: 'Forbidden.' },
  origin: { status: 403, body: 'Pages of this origin may not connect.' },
  tooMany: { status: 429, body: 'Too many connections.', headers: { 'Retry-After': '5' } },
  failed: { status: 500, body: 'Internal server error.' },
  late: { status: 503, body: 'The upgrade took too long.', headers: { 'Retry-After': '1' } },
  closed: { status: 503, body: 'The server takes no connections now.', headers: { 'Retry-After': '1' } },
  protocol: { status: 400, body: 'Offer pxl.v1 or event.v1 beside bearer.<token>.' },
} as const satisfies Record<string, HttpRefusal>;

/** What it takes to refuse an upgrade. */
interface Refusable {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  /** Undefined where the handshake is no good. */
  readonly codec: Codec | undefined;
}

/** One upgrade on its way. */
interface Upgrade extends Refusable {
  readonly endpoint: Endpoint;
  readonly server: Server;
  readonly head: Buffer;
  readonly codec: Codec;
  readonly candidate: Candidate;
}

/** One HTTP upgrade on a path of ours: from the request to 101, or to a refusal that the client can read. */
@Injectable()
export class UpgradeHandler {
  readonly #logger = new ModuleLogger();
  /** The upgrades whose authentication runs. */
  readonly #pending = new Set<Upgrade>();
  /** Those that were refused by a close code and whose sockets are not gone yet. */
  #closing = 0;
  #isOpen = false;
  #warnedOfCut = false;

  constructor(
    private readonly admission: Admission,
    private readonly origins: OriginPolicy,
    private readonly addresses: ClientAddress,
    private readonly counts: ConnectionCounts,
    private readonly counters: RefusalCounters,
    private readonly refusals: AuthRefusals,
    private readonly connections: ConnectionHandler,
    private readonly outboxes: OutboxServices,
    private readonly errors: ErrorReporter,
    private readonly identity: WorkerIdentity,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Upgrades are taken from now on; before that, and after `close`, they are answered 503. */
  open(): void {
    this.#isOpen = true;
  }

  /** Whether connections are taken. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Upgrades under way are answered 503 too: the server's close would wait for their authentication. */
  close(): void {
    this.#isOpen = false;
    for (const upgrade of this.#pending) this.#refusePending(upgrade, REFUSALS.closed);
  }

  /** The stream has an error listener already: a reset at any time ends this upgrade, nothing else. */
  handle(endpoint: Endpoint, server: Server, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const problem = problemOfHandshake(request);
    const codec = problem ? undefined : negotiateCodec(request, endpoint.options.protocol);
    if (!this.#isOpen || !codec) {
      const refusal = this.#isOpen ? (problem ?? REFUSALS.protocol) : REFUSALS.closed;
      this.#refuse({ request, stream, codec }, refusal);
      return;
    }
    if (this.#isFull(this.#pending.size)) {
      this.counters.count('pendingUpgrades');
      refuseUpgrade(stream, REFUSALS.tooMany, this.runtime);
      return;
    }
    const ip = this.addresses.of(request);
    const refusal = this.#takePlace(stream, ip) ?? this.#checkOrigin(request, endpoint);
    if (refusal) {
      this.#refuse({ request, stream, codec }, refusal);
      return;
    }
    const { guards, options } = endpoint;
    const clientId = this.identity.createClientId();
    const candidate = { clientId, request: new WsRequest(request, ip), stream, guards, options };
    const upgrade = { endpoint, server, request, stream, head, codec, candidate };
    if (this.admission.isOpen(candidate)) {
      this.#accept(upgrade, NOBODY);
      return;
    }
    // In a scope of its own: what an authenticator sets with `enterWith` must not stay with the socket.
    const scope = new AsyncResource('WsUpgrade', { requireManualDestroy: true });
    const decide = AsyncResource.bind((result: AdmissionResult) => this.#decide(upgrade, result));
    void scope.runInAsyncScope(() => this.#admit(upgrade, decide));
  }

  /** Whether there are as many upgrades of a kind as there may be: those that are under way, or those being closed. */
  #isFull(count: number): boolean {
    const { pendingUpgrades } = this.options.limits;
    return pendingUpgrades !== false && count >= pendingUpgrades;
  }

  /** Counts the connection in, from now until its stream is gone. */
  #takePlace(stream: Duplex, ip: string): HttpRefusal | undefined {
    if (!this.counts.areLimited) return undefined;
    const place = this.counts.enter(networkOf(ip));
    if ('refusedBy' in place) {
      this.counters.count(place.refusedBy);
      return REFUSALS.tooMany;
    }
    if (stream.closed) place.release();
    else stream.once('close', place.release);
    return undefined;
  }

  #checkOrigin(request: IncomingMessage, { options }: Endpoint): HttpRefusal | undefined {
    try {
      if (this.origins.allows(request, options.origins)) return undefined;
      this.counters.count('origins');
      return REFUSALS.origin;
    } catch (error) {
      this.errors.report('The option origins failed.', error);
      return REFUSALS.failed;
    }
  }

  async #admit(upgrade: Upgrade, decide: (result: AdmissionResult) => void): Promise<void> {
    const { stream, candidate } = upgrade;
    const limit = candidate.options.limits.upgradeTimeout;
    const late = (): void => {
      this.counters.count('upgradeTimeout');
      this.refusals.count(candidate.options, 'timeout');
      this.#refusePending(upgrade, REFUSALS.late);
    };
    const timer = limit === false ? undefined : this.runtime.timeout(limit, late);
    this.#pending.add(upgrade);
    const result = await this.admission.ofUpgrade(candidate);
    timer?.cancel();
    if (result.outcome === 'failed') this.errors.report('The authentication of an upgrade failed.', result.error);
    if (!this.#pending.delete(upgrade)) return; // refused meanwhile
    if (stream.destroyed || stream.writableEnded) this.#gone(upgrade);
    else decide(result);
  }

  #decide(upgrade: Upgrade, result: AdmissionResult): void {
    if (result.outcome === 'accepted') this.#accept(upgrade, result.identity);
    else if (result.outcome === 'later') this.#accept(upgrade, null);
    else this.#refuse(upgrade, REFUSALS[result.outcome], rejectCloseOf(upgrade, result));
  }

  #refusePending(upgrade: Upgrade, refusal: HttpRefusal): void {
    this.#pending.delete(upgrade);
    this.#refuse(upgrade, refusal);
  }

  /**
   * By a close code to those that read it, else by a status. Many that do not answer their close frames cannot pile up:
   * beyond `limits.pendingUpgrades` of them the next ones get a status too.
   *
   * @param always with what everybody is closed
   */
  #refuse({ request, stream, codec }: Refusable, refusal: HttpRefusal, always?: CloseReason): void {
    const close = codec && readsCloseRefusals(request) ? (closeOf(refusal) ?? always) : always;
    if (!close || stream.closed || this.#isFull(this.#closing)) {
      refuseUpgrade(stream, refusal, this.runtime);
      return;
    }
    this.#closing++;
    stream.once('close', () => this.#closing--);
    const isAsked = request.headers['sec-websocket-protocol'] !== undefined;
    acceptAndClose(request, stream, isAsked ? codec?.name : undefined, close, this.runtime);
  }

  /** @param identity null: it will be told by message */
  #accept(upgrade: Upgrade, identity: Identity | null): void {
    const { endpoint, request, stream, codec, candidate } = upgrade;
    const mayTellLater = candidate.options.auth.mode !== 'upgrade' && !identity?.user;
    const who = identity ? { identity, candidate: mayTellLater ? candidate : undefined } : { identity, candidate };
    this.#complete(upgrade, (socket) => {
      this.connections.accept({
        endpoint,
        outbox: socket.openOutbox(stream, this.outboxes),
        request,
        info: candidate.request,
        clientId: candidate.clientId,
        codec,
        ...who,
      });
      endpoint.webSocketServer.emit('connection', socket, request);
    });
  }

  #complete({ endpoint, request, stream, head }: Upgrade, use: (socket: AcceptedSocket) => void): void {
    // Corked, so that the 101 and the welcome leave in one write.
    stream.cork();
    try {
      endpoint.webSocketServer.handleUpgrade(request, stream, head, use);
    } catch (error) {
      this.errors.report('An upgrade failed.', error);
      stream.destroy();
    } finally {
      stream.uncork();
    }
  }

  /** Socket.IO beside us ends what it does not own after a second, unless it is told not to. */
  #gone({ server, stream }: Upgrade): void {
    stream.destroy(); // nobody reads it, so its peer's end would never be seen
    if (!stream.writableEnded || server.listenerCount('upgrade') < 2 || this.#warnedOfCut) return;
    this.#warnedOfCut = true;
    this.#logger.warn(
      'Another listener ended an upgrade while it was being authenticated: give Socket.IO the option destroyUpgrade: false.',
    );
  }
}

/** Browsers cannot read the status of a refused upgrade, but they can read a close code. */
function rejectCloseOf({ candidate }: Upgrade, { outcome }: AdmissionResult): CloseReason | undefined {
  const isClosed = outcome === 'unauthenticated' && candidate.options.auth.rejectMode === 'close';
  return isClosed ? CLOSE_CODES.AUTH_FAILED : undefined;
}
