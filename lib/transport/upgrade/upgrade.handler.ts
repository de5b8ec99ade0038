import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Admission, type AdmissionResult } from '../../auth/admission.js';
import { ANONYMOUS, type Identity } from '../../auth/identity.js';
import { attributesOf } from '../../clients/session/session-spans.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { CLOSE_CODES, type CloseReason } from '../../protocol/close-codes.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { NO_PARAMS, WsRequest } from '../../ws-client/ws-request.js';
import { outboxOf, type AcceptedSocket } from '../connection/accepted-socket.js';
import { ConnectionHandler } from '../connection/connection.handler.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import { OutboxServices } from '../outbox/outbox.services.js';
import { PendingUpgrades, type Upgrade } from './pending-upgrades.js';
import { UpgradeChecks } from './upgrade-checks.js';
import { REFUSALS, UpgradeRefusals } from './upgrade-refusals.js';
import { beginUpgradeSpan, endAccepted, endGone } from './upgrade-span.js';
import { MALFORMED_PATH, negotiateCodec, pathOf, problemOfHandshake } from './upgrade-request.js';
import { inContext } from '../../runtime/request-context.js';
import { contextOfConnection } from '../../clients/session/session-context.js';

/** Takes one HTTP upgrade of an endpoint from its request to the 101, or to a refusal that the client can read. */
@Injectable()
export class UpgradeHandler {
  #isOpen = false;

  constructor(
    private readonly checks: UpgradeChecks,
    private readonly admission: Admission,
    private readonly pending: PendingUpgrades,
    private readonly refusals: UpgradeRefusals,
    private readonly connections: ConnectionHandler,
    private readonly outboxes: OutboxServices,
    private readonly errors: ErrorReporter,
    private readonly identity: WorkerIdentity,
  ) {}

  /** Upgrades are accepted from now on; before that, and after `close`, they are answered 503. */
  open(): void {
    this.#isOpen = true;
  }

  /** Whether upgrades are accepted. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Upgrades that are being authenticated are answered 503 too. */
  close(): void {
    this.#isOpen = false;
    this.pending.refuseAll();
  }

  /** @param stream has an error listener: a reset at any time ends this upgrade, and nothing else */
  handle(endpoint: Endpoint, server: Server, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { timings, runtime, tracing } = this.outboxes;
    const span = tracing.isOn ? beginUpgradeSpan(tracing, endpoint, request) : null;
    const begunAt = timings.isOn ? runtime.monotonic() : NaN;
    const problem = problemOfHandshake(request);
    const codec = problem ? undefined : negotiateCodec(request, endpoint.options.protocol);
    const params = endpoint.pattern ? endpoint.pattern.paramsOf(pathOf(request)) : NO_PARAMS;
    const isOpen = this.#isOpen && endpoint.webSocketServer.isOpen;
    if (!isOpen || !codec || !params) {
      const refused = problem ?? (codec ? MALFORMED_PATH : REFUSALS.protocol);
      const refusal = isOpen ? refused : REFUSALS.closed;
      this.refusals.refuse({ request, stream, codec, span }, refusal);
      return;
    }
    if (this.pending.isFull()) {
      this.refusals.refuseByStatus({ stream, span }, REFUSALS.tooMany);
      return;
    }
    const address = this.checks.addressOf(request);
    const refusal = this.checks.check(request, stream, address, endpoint);
    if (refusal) {
      this.refusals.refuse({ request, stream, codec, span }, refusal);
      return;
    }
    const { guards, preparations, options, ownNames } = endpoint;
    const clientId = this.identity.createClientId();
    const info = new WsRequest(request, { ip: address, params, ownNames });
    const candidate = { clientId, request: info, stream, guards, preparations, options };
    const upgrade = { endpoint, server, request, stream, head, codec, candidate, begunAt, span };
    if (this.admission.isOpen(candidate)) {
      this.#accept(upgrade, ANONYMOUS);
      return;
    }
    // In an async scope of its own: what an authenticator sets with `enterWith` must not stay with the socket.
    const outside = newScope();
    const decide = (result: AdmissionResult): void => outside.runInAsyncScope(() => this.#decide(upgrade, result));
    const admit = (): Promise<void> => this.pending.admit(upgrade, decide);
    const subject = { clientId, path: endpoint.path, request: info, user: null };
    const context = contextOfConnection(subject, options.requestContext);
    void newScope().runInAsyncScope(() => inContext(context, () => (span ? span.run(admit) : admit())));
  }

  #decide(upgrade: Upgrade, result: AdmissionResult): void {
    if (result.outcome === 'accepted') this.#accept(upgrade, result.identity);
    else if (result.outcome === 'later') this.#accept(upgrade, null);
    else this.refusals.refuse(upgrade, REFUSALS[result.outcome], rejectCloseOf(upgrade, result));
  }

  /** @param identity null: the client has to tell it by message */
  #accept(upgrade: Upgrade, identity: Identity | null): void {
    const { endpoint, request, stream, codec, candidate, span } = upgrade;
    if (!endpoint.webSocketServer.isOpen) {
      this.refusals.refuse(upgrade, REFUSALS.closed); // the application has closed it meanwhile
      return;
    }
    if (!stream.readable || !stream.writable) {
      if (span) endGone(span);
      stream.destroy();
      return;
    }
    const mayTellLater = candidate.options.auth.mode !== 'upgrade' && !identity?.user;
    const who = identity ? { identity, candidate: mayTellLater ? candidate : undefined } : { identity, candidate };
    const { timings, runtime, tracing } = this.outboxes;
    if (timings.isOn) timings.upgraded(runtime.monotonic() - upgrade.begunAt);
    this.#complete(upgrade, (socket) => {
      const session = this.connections.accept({
        endpoint,
        outbox: outboxOf(socket, stream, this.outboxes),
        request,
        info: candidate.request,
        clientId: candidate.clientId,
        codec,
        upgradedIn: span?.point,
        ...who,
      });
      if (span) endAccepted(span, attributesOf(session, tracing));
      endpoint.webSocketServer.emit('connection', socket, request);
    });
  }

  #complete(upgrade: Upgrade, use: (socket: AcceptedSocket) => void): void {
    const { endpoint, request, stream, head, codec, candidate, span } = upgrade;
    // Corked, so that the 101 and the welcome leave in one write.
    stream.cork();
    try {
      const protocol = request.headers['sec-websocket-protocol'] === undefined ? undefined : codec.name;
      endpoint.webSocketServer.accept({ request, stream, head, protocol }, use);
    } catch (error) {
      this.errors.report('An upgrade failed.', error, { clientId: candidate.clientId, path: endpoint.path });
      span?.failed(error);
      span?.end();
      stream.destroy();
    } finally {
      stream.uncork();
    }
  }
}

function newScope(): AsyncResource {
  return new AsyncResource('WsUpgrade', { requireManualDestroy: true });
}

/** With `auth.rejectMode: 'close'` every client gets the close code: a page cannot read the status of a refused upgrade. */
function rejectCloseOf({ candidate }: Upgrade, { outcome }: AdmissionResult): CloseReason | undefined {
  const isClosed = outcome === 'unauthenticated' && candidate.options.auth.rejectMode === 'close';
  return isClosed ? CLOSE_CODES.AUTH_FAILED : undefined;
}
