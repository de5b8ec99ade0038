import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { WsError } from '../errors/ws.error.js';
import type { WsRetention } from '../options/rooms/history.options.js';
import { codecOf } from '../protocol/codecs.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { MembershipChange, RoomListener } from '../rooms/membership.js';
import { RoomNames } from '../rooms/room-names.js';
import { LiveTraces } from '../clients/traces/live-traces.js';
import { RoomWindows } from '../clients/room-windows.js';
import { ConcurrencyLimit } from '../runtime/concurrency-limit.js';
import { gauge, type MetricSource, type WebSocketMetric } from '../runtime/metrics/metrics.js';
import { Timings } from '../runtime/metrics/timings.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';
import { HistoryCounts } from './history-counts.js';
import { MemberPages, notReadable } from './member-pages.js';
import { ReadRule } from './read-rule.js';
import { ReplayBudget } from './replay-budget.js';
import { Replays } from './replays.js';
import { RingBudget } from './ring-budget.js';
import { RoomAudience } from './room-audience.js';
import type {
  ArrivedMessage,
  MemberPage,
  MemberRange,
  ReplayRequest,
  ReplayVerdict,
  RoomHistory,
} from './room-history.interface.js';
import type { LogServices } from './log-services.js';
import { RoomLog } from './room-log.js';
import {
  ROOM_STORE,
  type WsAppend,
  type WsAppended,
  type WsPosition,
  type WsRoomStore,
} from './room-store.interface.js';
import { UnnumberedMessages } from './unnumbered-messages.js';

/** The most bytes that a member that is behind gets before its socket has to take them. */
const PAGE_BYTES = 65_536;
/** Reads of the store that run at once. */
const READS = 8;
/** Milliseconds after which a room without a sign is looked at. */
const QUIET = 25_000;
/** Rooms that are looked at together. */
const LOOKS = 500;

/** A room with history that has members here, or is about to. */
interface OpenRoom {
  readonly log: RoomLog;
  readonly audience: RoomAudience;
  /** How many have acquired it. */
  users: number;
}

/** {@link RoomHistory} over the store of the bus. */
@Injectable()
export class RoomHistories implements RoomHistory, RoomListener, MetricSource {
  readonly isOn: boolean;
  readonly #rooms = new Map<string, OpenRoom>();
  readonly #counts = new HistoryCounts();
  readonly #ringBudget = new RingBudget();
  readonly #replays: Replays;
  readonly #pages: MemberPages | null;
  readonly #unnumbered: UnnumberedMessages | null;
  readonly #services: LogServices | null;
  #quietTimer: RuntimeTimer | null = null;

  constructor(
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(ROOM_STORE) private readonly store: WsRoomStore | null,
    errors: ErrorReporter,
    private readonly timings: Timings,
    private readonly runtime: Runtime,
    windows: RoomWindows,
    traces: LiveTraces,
  ) {
    this.isOn = store !== null && options.rooms.history !== undefined;
    const budget = new ReplayBudget(options.rooms.history?.replayBytes ?? 0, runtime);
    const names = RoomNames.of(options);
    const rule = new ReadRule(names, errors, runtime);
    this.#replays = new Replays(rule, budget, this.#counts);
    this.#pages = store && new MemberPages(store, rule, budget);
    const epochOf = (roomName: string): string => this.#rooms.get(roomName)?.log.epoch ?? '';
    const cleared = (roomName: string): void => this.cleared(roomName);
    this.#unnumbered = store && new UnnumberedMessages(store, epochOf, cleared, errors, runtime);
    this.#services = store && {
      store,
      codec: codecOf(options.protocol),
      budget: this.#ringBudget,
      pageBytes: pageBytesOf(options),
      reads: new ConcurrencyLimit(READS),
      looks: new ConcurrencyLimit(LOOKS),
      names,
      windows,
      counts: this.#counts,
      timings,
      traces,
      runtime,
    };
  }

  retentionOf(roomName: string): WsRetention | null {
    return this.isOn ? (this.options.rooms.history?.of(roomName) ?? null) : null;
  }

  async append(message: WsAppend): Promise<WsAppended> {
    if (!this.store) throw new WsError('UNAVAILABLE', 'No room has history.');
    const sent = this.timings.sending();
    const appended = await this.store.append(message);
    if (!appended.isRepeated) {
      this.#counts.appended++;
      this.receive(message.roomName, appended, sent ? { ...message, sent } : message);
    }
    return appended;
  }

  receive(roomName: string, position: WsPosition, message: ArrivedMessage): void {
    this.#rooms.get(roomName)?.log.take(position, message);
  }

  /**
   * Opens a room for a member that is about to come; each call that succeeds is undone by one {@link release}.
   *
   * @returns undefined when the room is open already
   * @throws WsError UNAVAILABLE when nobody can tell where the room stands
   */
  acquire(roomName: string): Promise<void> | undefined {
    const room = this.#roomOf(roomName);
    if (!room) return undefined;
    room.users++;
    if (room.log.isSettled) return undefined;
    return room.log.settle().catch((error: unknown) => {
      this.release(roomName);
      throw error;
    });
  }

  release(roomName: string): void {
    const room = this.#rooms.get(roomName);
    if (!room || --room.users > 0) return;
    this.#rooms.delete(roomName);
    room.audience.close();
    room.log.close();
  }

  joined({ client, roomName, isRequest }: MembershipChange): void {
    this.#rooms.get(roomName)?.audience.enter(client, isRequest);
  }

  left({ client, roomName }: MembershipChange): void {
    this.#rooms.get(roomName)?.audience.exit(client);
  }

  admit(client: ClientSession, roomName: string, request: ReplayRequest): Promise<ReplayVerdict> | undefined {
    const room = this.#rooms.get(roomName);
    return room && this.#replays.admit(room.log, room.audience, client, request);
  }

  begin(client: ClientSession, roomName: string): void {
    const room = this.#rooms.get(roomName);
    const cursor = room?.audience.of(client);
    if (cursor) room?.audience.release(cursor);
  }

  async page(client: ClientSession, roomName: string, range: MemberRange): Promise<MemberPage> {
    const retention = this.retentionOf(roomName);
    const cursor = this.#rooms.get(roomName)?.audience.of(client);
    if (!this.#pages || !retention || !cursor) throw notReadable();
    return this.#pages.read(cursor, roomName, range, retention);
  }

  cleared(roomName: string): void {
    this.#rooms.get(roomName)?.log.cleared();
  }

  unnumbered(roomName: string): void {
    const retention = this.retentionOf(roomName);
    if (!retention) return;
    this.#counts.unnumbered++;
    this.#unnumbered?.take(roomName, retention);
  }

  end(): void {
    this.#unnumbered?.end();
    this.#quietTimer?.cancel();
  }

  /** To be called each time the bus was lost, or is back. */
  busChanged(isReady: boolean): void {
    if (isReady) {
      for (const { log } of this.#rooms.values()) log.check();
      return;
    }
    for (const { log } of this.#rooms.values()) log.doubt();
  }

  *metrics(): Iterable<WebSocketMetric> {
    yield* this.#counts.metrics();
    yield gauge('history_rooms', this.#rooms.size);
    yield gauge('history_bytes', this.#ringBudget.bytes);
  }

  #roomOf(roomName: string): OpenRoom | null {
    const known = this.#rooms.get(roomName);
    if (known) return known;
    const retention = this.retentionOf(roomName);
    if (!this.#services || !retention) return null;
    const log = new RoomLog(roomName, retention, this.#services);
    const room = { log, audience: new RoomAudience(log, this.#services), users: 0 };
    this.#rooms.set(roomName, room);
    this.#quietTimer ??= this.runtime.timeout(QUIET, () => this.#lookAtQuietRooms());
    return room;
  }

  /** What is lost at the end of a room in which nothing follows would else never be noticed. */
  #lookAtQuietRooms(): void {
    this.#quietTimer = null;
    if (this.#rooms.size === 0) return;
    this.#quietTimer = this.runtime.timeout(QUIET, () => this.#lookAtQuietRooms());
    const since = this.runtime.monotonic() - QUIET;
    for (const { log } of this.#rooms.values()) if (log.heardAt <= since) log.check();
  }
}

/** Two pages are well within the budget of an outbox. */
function pageBytesOf({ limits: { maxBufferedBytes } }: ResolvedOptions): number {
  return maxBufferedBytes === false ? PAGE_BYTES : Math.min(PAGE_BYTES, Math.max(1, maxBufferedBytes >> 2));
}
