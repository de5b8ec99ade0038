import { Injectable } from '@nestjs/common';
import type { InboundMessage } from '../../protocol/messages.js';
import { isSystemEvent, routeKey, SYSTEM_TYPE } from '../../protocol/route-key.js';
import type { TraceEvent } from '../../protocol/inspection.js';
import { Timings } from '../../runtime/metrics/timings.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import type { ClientEnd, ClientListener } from '../client-listener.interface.js';
import { ClientRegistry } from '../client-registry.js';
import type { ClientSession } from '../session/client-session.js';
import { TappedOutbox } from './tapped-outbox.js';
import { LiveTrace, type TracedEvents, type TraceRequest } from './live-trace.js';

/** Milliseconds without a question after which a trace ends: whoever followed it is gone. */
const LEASE = 5_000;

interface OpenTrace {
  readonly request: TraceRequest;
  readonly trace: LiveTrace;
  timer: RuntimeTimer;
}

/** A client in a room, as the rooms tell of it. */
interface RoomChange {
  readonly client: ClientSession;
  readonly roomName: string;
}

/**
 * The traces that consoles follow on this worker. Whoever has something to tell asks first whether there is one; what is sent to a
 * client is told by its own outbox, which costs nothing while nobody follows the client.
 */
@Injectable()
export class LiveTraces implements ClientListener {
  readonly #traces = new Map<string, OpenTrace>();

  constructor(
    private readonly clients: ClientRegistry,
    private readonly identity: WorkerIdentity,
    private readonly timings: Timings,
    private readonly runtime: Runtime,
  ) {}

  get isOn(): boolean {
    return this.#traces.size > 0;
  }

  /** What has happened since the last question; the first one begins the trace, and each keeps it for another five seconds. */
  follow(request: TraceRequest): TracedEvents {
    const { traceId } = request;
    const timer = this.runtime.timeout(LEASE, () => this.end(traceId));
    const known = this.#traces.get(traceId);
    if (known) {
      known.timer.cancel();
      known.timer = timer;
      return known.trace.take();
    }
    this.timings.hold(); // how long handlers take
    const trace = new LiveTrace(request, this.identity.workerId, this.runtime);
    this.#traces.set(traceId, { request, trace, timer });
    for (const session of this.#clientsOf(request)) this.#tap(session);
    return trace.take();
  }

  /** The last events. */
  end(traceId: string): TracedEvents {
    const ended = this.#traces.get(traceId);
    if (!ended) return { events: [], omitted: 0 };
    ended.timer.cancel();
    this.#traces.delete(traceId);
    this.timings.release();
    for (const session of this.#clientsOf(ended.request)) this.#tap(session);
    return ended.trace.take();
  }

  registered(session: ClientSession): void {
    if (!this.isOn) return;
    this.#tap(session);
    this.#tell('connected', session, () => ({}));
  }

  identified(session: ClientSession): void {
    if (this.isOn) this.#tap(session);
  }

  unregistered(session: ClientSession, { code, reason }: ClientEnd): void {
    if (this.isOn) this.#tell('disconnected', session, () => ({ code: String(code), name: reason || undefined }));
  }

  joined(change: RoomChange): void {
    if (this.isOn) this.#tellOfRoom('joined', change);
  }

  left(change: RoomChange): void {
    if (this.isOn) this.#tellOfRoom('left', change);
  }

  /** A message of a client has arrived. */
  received(session: ClientSession, { type, action, whole }: InboundMessage): void {
    this.#tell('received', session, () => ({ name: routeKey(type, action), payload: JSON.stringify(whole) }));
  }

  /**
   * A handler is done with a message.
   *
   * @param code of the error that it has failed with
   */
  answered(session: ClientSession, name: string, ms: number, code?: string): void {
    this.#tell(code === undefined ? 'answered' : 'failed', session, () => ({ name, ms, code }));
  }

  /**
   * A message goes to the members of a room.
   *
   * @param text of a `pxl.v1` frame
   * @param recipients how many there are on this worker
   */
  pushed(room: string, text: () => string, recipients: number): void {
    for (const { trace } of this.#traces.values()) {
      if (!trace.followsRoom(room)) continue;
      trace.add('pushed', null, () => {
        const payload = text();
        return { name: nameOf(payload), room, recipients, payload };
      });
    }
  }

  #tell(kind: TraceEvent['kind'], session: ClientSession, describe: () => Partial<TraceEvent>): void {
    for (const { trace } of this.#traces.values()) if (trace.follows(session)) trace.add(kind, session, describe);
  }

  #tellOfRoom(kind: 'joined' | 'left', { client, roomName: room }: RoomChange): void {
    for (const { trace } of this.#traces.values()) {
      if (trace.follows(client) || trace.followsRoom(room)) trace.add(kind, client, () => ({ room }));
    }
  }

  #tap(session: ClientSession): void {
    const isFollowed = [...this.#traces.values()].some(({ trace }) => trace.follows(session));
    const tell = (payload: string): void => this.#tell('sent', session, () => ({ name: nameOf(payload), payload }));
    session.replaceOutbox((outbox) => {
      const own = TappedOutbox.untapped(outbox);
      return isFollowed ? new TappedOutbox(own, tell) : own;
    });
  }

  #clientsOf({ subject }: TraceRequest): Iterable<ClientSession> {
    if (subject.kind === 'user') return this.clients.ofUser(subject.userId) ?? [];
    const session = subject.kind === 'client' ? this.clients.get(subject.clientId) : undefined;
    return session ? [session] : [];
  }
}

/** What a frame of either codec is called; undefined for JSON that is no message. */
function nameOf(text: string): string | undefined {
  try {
    const { type, action, event } = Object(JSON.parse(text)) as Record<string, unknown>;
    if (typeof type === 'string' && typeof action === 'string') return routeKey(type, action);
    if (typeof event !== 'string') return undefined;
    // Where the library's own events have no prefix, as the welcome of event.v1, which holds a secret.
    return isSystemEvent(event) ? routeKey(SYSTEM_TYPE, event) : event;
  } catch {
    return undefined; // an application can send any text
  }
}
