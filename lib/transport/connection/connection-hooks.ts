import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import { attributesOf } from '../../clients/session/session-spans.js';
import { codeOf } from '../../errors/code-of.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import type { WsRoomUser } from '../../ws-client/client-entry.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import { Memberships } from '../../rooms/memberships.js';
import { CLOSE_CODES, type CloseReason } from '../../protocol/close-codes.js';
import { Runtime } from '../../runtime/runtime.js';
import type { TraceSpan } from '../../tracing/trace-span.js';
import { Tracing } from '../../tracing/tracing.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import { logSubject } from '../../clients/session/session-context.js';

/** What `events.onConnected` says of a room. */
type RoomToJoin = WsRoomUser & WsNamespaced & { readonly roomName: string };

type Hook = [name: string, run: () => unknown];

/** Runs what belongs to the begin and the end of a connection: own and default rooms, the module's events, the gateways' hooks. */
@Injectable()
export class ConnectionHooks {
  constructor(
    private readonly memberships: Memberships,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
    private readonly tracing: Tracing,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Whether anything runs at the begin of a connection of this endpoint. */
  areNeeded(endpoint: Endpoint): boolean {
    const { events } = this.options;
    const { hooks, options } = endpoint;
    const { own, defaults } = options.rooms;
    return hooks.length > 0 || events.onConnected !== undefined || own || defaults.length > 0;
  }

  /** Whether anything runs at the end of a connection of this endpoint. */
  areNeededAtEnd({ hooks }: Endpoint): boolean {
    return hooks.length > 0 || this.options.events.onDisconnected !== undefined;
  }

  /**
   * Runs everything for a new connection, one after the other, all within `timeouts.hook`.
   *
   * @returns what the connection has to be closed with, because a hook failed, which is reported here; null when none did
   */
  connected(session: ClientSession, endpoint: Endpoint, request: IncomingMessage): Promise<CloseReason | null> {
    const { tracing } = this;
    if (!tracing.isOn) return this.#connected(session, endpoint, request, null);
    const start = { kind: 'internal', attributes: attributesOf(session, tracing), parent: session.upgradedIn } as const;
    return tracing.within(`connect ${session.path}`, start, (span) =>
      this.#connected(session, endpoint, request, span),
    );
  }

  /**
   * Runs everything for a connection that has ended, one after the other, each within `timeouts.hook` and also when the one
   * before failed. Never rejects.
   */
  disconnected(session: ClientSession, endpoint: Endpoint, code: number, reason: string): Promise<void> {
    const { tracing } = this;
    if (!tracing.isOn) return this.#disconnected(session, endpoint, code, reason, null);
    const attributes = { ...attributesOf(session, tracing), 'pxl.close.code': code };
    const start = { kind: 'internal', attributes, parent: null, link: session.upgradedIn } as const;
    return tracing.within(`disconnect ${session.path}`, start, (span) =>
      this.#disconnected(session, endpoint, code, reason, span),
    );
  }

  async #connected(
    session: ClientSession,
    endpoint: Endpoint,
    request: IncomingMessage,
    span: TraceSpan | null,
  ): Promise<CloseReason | null> {
    let current = '';
    let isOver = false;
    const run = async (): Promise<void> => {
      for (const [name, hook] of this.#atConnect(session, endpoint, request)) {
        if (isOver) return; // the time was up while the hook before was running
        current = name;
        await hook();
      }
    };
    const report = (error: unknown): void => {
      this.errors.report(`${current} failed.`, error, logSubject(session));
      span?.failed(error);
    };
    try {
      await this.#inTime(run(), report);
      return null;
    } catch (error) {
      isOver = true;
      report(error);
      return isUnavailable(error) ? CLOSE_CODES.UNAVAILABLE : CLOSE_CODES.HOOK_FAILED;
    }
  }

  async #disconnected(
    session: ClientSession,
    endpoint: Endpoint,
    code: number,
    reason: string,
    span: TraceSpan | null,
  ): Promise<void> {
    for (const [name, hook] of this.#atDisconnect(session, endpoint, code, reason)) {
      const report = (error: unknown): void => {
        this.errors.report(`${name} failed.`, error, logSubject(session));
        span?.failed(error);
      };
      const running = new Promise((resolve) => resolve(hook()));
      await this.#inTime(running, report).catch(report);
    }
  }

  *#atConnect(session: ClientSession, endpoint: Endpoint, request: IncomingMessage): Generator<Hook> {
    const { own, defaults } = session.options.rooms;
    if (own) yield ['Joining the room of rooms.own', () => this.memberships.joinOwn(session)];
    for (const roomName of defaults) {
      yield ['Joining rooms.defaults', () => this.memberships.join(session, roomName)];
    }
    const { clientId, ws } = session;
    const joinRoom = ({ roomName: name, namespace, ...user }: RoomToJoin): Promise<boolean> =>
      this.errors.watch('RoomManager.addClientToRoom', () => {
        const roomName = this.memberships.keyOf(name, namespace);
        return this.memberships.admit(session, { roomName, user });
      });
    yield [
      'events.onConnected',
      () => this.options.events.onConnected?.({ ws, client: session.client, clientId, joinRoom }),
    ];
    for (const hooks of endpoint.hooks) {
      yield [`${hooks.name}.handleConnection`, () => hooks.handleConnection(session, request)];
    }
  }

  *#atDisconnect(session: ClientSession, endpoint: Endpoint, code: number, reason: string): Generator<Hook> {
    const { clientId } = session;
    const { events } = this.options;
    yield ['events.onDisconnected', () => events.onDisconnected?.({ client: session.client, clientId, code, reason })];
    for (const hooks of endpoint.hooks) {
      yield [`${hooks.name}.handleDisconnect`, () => hooks.handleDisconnect(session, code, reason)];
    }
  }

  /** @param lost gets the error of a hook that fails after its time was up */
  #inTime<T>(hook: Promise<T>, lost: (error: unknown) => void): Promise<T> {
    const limit = this.options.timeouts.hook;
    const late = (): Error => new Error(`It took longer than timeouts.hook (${limit} ms).`);
    return this.runtime.within(limit, hook, late, lost);
  }
}

/** Whether Redis was away, so that for instance a default room could not be joined: nothing is wrong with the hook. */
function isUnavailable(error: unknown): boolean {
  return codeOf(error) === 'UNAVAILABLE';
}
