import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { ModuleLogger } from '../errors/module-logger.js';
import { WsError } from '../errors/ws.error.js';
import type { WsRetention } from '../options/rooms/history.options.js';
import { codecOf } from '../protocol/codecs.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { MembershipChange, RoomListener } from '../rooms/membership.js';
import { chunksOf } from '../runtime/chunks.js';
import { ConcurrencyLimit } from '../runtime/concurrency-limit.js';
import { gauge, type MetricSource, type WebSocketMetric } from '../runtime/metrics.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';
import type { Cursor } from './cursor.js';
import { HistoryCounts } from './history-counts.js';
import { ReadRule } from './read-rule.js';
import { ReplayBudget } from './replay-budget.js';
import { RingBudget } from './ring-budget.js';
import { RoomAudience } from './room-audience.js';
import type {
  MemberPage,
  MemberRange,
  ReplayRequest,
  ReplayVerdict,
  RoomHistory,
  WsLossReason,
} from './room-history.interface.js';
import { RoomLog, type LogServices } from './room-log.js';
import {
  ROOM_STORE,
  type WsAppend,
  type WsAppended,
  type WsNumberedMessage,
  type WsPosition,
  type WsRoomStore,
} from './room-store.interface.js';

/** The most bytes that a member that is behind gets before its socket has to take them. */
const PAGE_BYTES = 65_536;
/** Reads of the store that run at once. */
const READS = 8;
/** Milliseconds after which a room without a sign is looked at. */
const QUIET = 25_000;
/** Rooms that are looked at together. */
const CHUNK = 500;
/** Messages of one page for a member. */
const PAGE = 100;
const MOST_OF_PAGE = 1_000;
/** A room is cleared because of unnumbered messages at most once in this time, in ms. */
const CLEARED_FOR = 60_000;

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
  readonly #budget: ReplayBudget;
  readonly #rule: ReadRule;
  readonly #services: LogServices | null;
  readonly #logger = new ModuleLogger();
  #quietTimer: RuntimeTimer | null = null;
  #warnedAt = -Infinity;

  constructor(
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(ROOM_STORE) private readonly store: WsRoomStore | null,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
  ) {
    this.isOn = Boolean(store) && options.rooms.history !== undefined;
    this.#budget = new ReplayBudget(options.rooms.history?.replayBytes ?? 0, runtime);
    this.#rule = new ReadRule(errors, runtime);
    this.#services = store
      ? {
          store,
          codec: codecOf(options.protocol),
          budget: this.#ringBudget,
          pageBytes: pageBytesOf(options),
          reads: new ConcurrencyLimit(READS),
          counts: this.#counts,
          errors,
          runtime,
        }
      : null;
  }

  retentionOf(roomName: string): WsRetention | null {
    return this.isOn ? (this.options.rooms.history?.of(roomName) ?? null) : null;
  }

  async append(message: WsAppend): Promise<WsAppended> {
    if (!this.store) throw new WsError('UNAVAILABLE', 'No room has history.');
    const appended = await this.store.append(message);
    if (!appended.isRepeated) {
      this.#counts.appended++;
      this.receive(message.roomName, appended, message);
    }
    return appended;
  }

  receive(roomName: string, position: WsPosition, message: WsNumberedMessage): void {
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
    return room && this.#admit(room, client, request);
  }

  begin(client: ClientSession, roomName: string): void {
    const room = this.#rooms.get(roomName);
    const cursor = room?.audience.of(client);
    if (cursor) room?.audience.release(cursor);
  }

  async page(client: ClientSession, roomName: string, range: MemberRange): Promise<MemberPage> {
    const retention = this.retentionOf(roomName);
    if (!this.store || !retention || !client.rooms.has(roomName)) throw notReadable();
    const allowance = await this.#rule.allowance(client, roomName);
    if (allowance === 0) throw notReadable();
    if (this.#budget.leftOfMinute(client) <= 0) {
      throw new WsError('RATE_LIMITED', 'More of the history can be read in a minute.');
    }
    const { since, limit = PAGE, reverse = false } = range;
    const bound = reverse ? { until: since && since.offset - 1 } : { since: since?.offset };
    const most = Math.min(limit, MOST_OF_PAGE);
    const page = await this.store.read(roomName, { ...bound, limit: most, reverse }, retention);
    const { top, oldest } = page;
    if (since && since.epoch !== top.epoch) return { entries: [], top, more: false, reason: 'epoch' };
    const readable = top.offset - allowance + 1;
    const least = Math.max(oldest, readable);
    const isGap = since && !reverse && since.offset + 1 < least;
    const reason = isGap ? (readable > oldest ? 'limit' : 'trimmed') : undefined;
    const read = page.entries.filter(({ offset }) => offset >= least);
    const entries = read.filter(({ exclude }) => !exclude.includes(client.clientId));
    this.#budget.spendOfMinute(
      client,
      entries.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
    );
    const last = page.entries.at(-1)?.offset;
    const more = last !== undefined && (reverse ? last > least : last < top.offset);
    return { entries, top, more, reason };
  }

  check(roomName: string): void {
    this.#rooms.get(roomName)?.log.check();
  }

  unnumbered(roomName: string): void {
    const retention = this.retentionOf(roomName);
    if (!this.store || !retention) return;
    this.#counts.unnumbered++;
    this.#warnOfUnnumbered();
    this.store.clear(roomName, retention, CLEARED_FOR).then(
      () => this.check(roomName),
      (error: unknown) => this.errors.report('The history of a room could not be cleared.', error),
    );
  }

  /** To be called each time the bus was lost, or is back. */
  busChanged(isReady: boolean): void {
    if (isReady) {
      void this.#verifyAll([...this.#rooms.values()]);
      return;
    }
    for (const { log } of this.#rooms.values()) log.doubt();
  }

  *metrics(): Iterable<WebSocketMetric> {
    yield* this.#counts.metrics();
    yield gauge('history_rooms', this.#rooms.size);
    yield gauge('history_bytes', this.#ringBudget.bytes);
  }

  async #admit({ log, audience }: OpenRoom, client: ClientSession, request: ReplayRequest): Promise<ReplayVerdict> {
    const cursor = audience.of(client);
    if (!cursor) throw leftMeanwhile();
    const wasMember = audience.hold(cursor);
    try {
      await log.settle();
      const { since, history = 0, was } = request;
      const allowance = since || history > 0 ? await this.#rule.allowanceAtJoin(client, log.roomName) : 0;
      const verdict = since
        ? await this.#return(log, cursor, { since, was, allowance })
        : await this.#greet(log, cursor, Math.min(history, allowance), wasMember);
      // It has left meanwhile, and maybe come again.
      if (audience.of(client) !== cursor) throw leftMeanwhile();
      return verdict;
    } catch (error) {
      if (wasMember) audience.release(cursor);
      throw error;
    }
  }

  /** A client comes back with a position. */
  async #return(
    log: RoomLog,
    cursor: Cursor,
    { since, was, allowance }: { since: WsPosition; was: string | undefined; allowance: number },
  ): Promise<ReplayVerdict> {
    const refuse = (reason: WsLossReason): ReplayVerdict => {
      place(cursor, log.delivered);
      this.#counts.lost[reason]++;
      return { position: log.position, recovered: false, reason, replayed: 0 };
    };
    const accept = (replayed: number): ReplayVerdict => {
      cursor.notice = null;
      cursor.stand(since.offset);
      this.#counts.recovered++;
      return { position: since, recovered: true, replayed };
    };
    cursor.was = was;
    if (since.epoch !== log.epoch) return refuse('epoch');
    // It may have come from a worker that was ahead of this one; or it is made up.
    if (since.offset > log.highest) await log.verify();
    if (since.epoch !== log.epoch || since.offset > log.highest) return refuse('epoch');
    const from = since.offset + 1;
    if (from > log.delivered) return accept(0);
    if (log.delivered - since.offset > allowance) return refuse('limit');
    log.expire();
    const { client } = cursor;
    return log.withEntries(from, this.#budget.leftOf(client), (lack) => {
      if (since.epoch !== log.epoch) return refuse('epoch');
      if (lack !== undefined) return refuse(lack);
      const bytes = log.bytesFrom(from);
      if (bytes > this.#budget.leftOf(client)) return refuse('limit');
      this.#budget.spend(client, bytes);
      return accept(log.countFrom(from, (exclude) => cursor.isExcluded(exclude)));
    });
  }

  /** A client comes without a position; it may want the last messages. */
  async #greet(log: RoomLog, cursor: Cursor, history: number, wasMember: boolean): Promise<ReplayVerdict> {
    if (wasMember && history === 0) {
      // What it has been sent is what it knows; a loss that was not told yet follows the answer.
      return { position: { epoch: log.epoch, offset: cursor.told }, replayed: 0 };
    }
    log.expire();
    const { client } = cursor;
    const from = Math.max(1, log.delivered - history + 1);
    const stand = (offset: number, replayed: number): ReplayVerdict => {
      place(cursor, offset);
      return { position: { epoch: log.epoch, offset }, replayed };
    };
    if (from > log.delivered) return stand(log.delivered, 0);
    const left = this.#budget.leftOf(client);
    return log.withEntries(from, left, () => {
      let first = Math.max(from, log.oldestHeld);
      while (first <= log.delivered && log.bytesFrom(first) > left) first++;
      this.#budget.spend(client, log.bytesFrom(first));
      return stand(
        first - 1,
        log.countFrom(first, (exclude) => cursor.isExcluded(exclude)),
      );
    });
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
    void this.#verifyAll([...this.#rooms.values()].filter(({ log }) => log.heardAt <= since));
  }

  async #verifyAll(rooms: readonly OpenRoom[]): Promise<void> {
    for (const chunk of chunksOf(rooms, CHUNK)) {
      await Promise.all(chunk.map(({ log }) => log.verify().catch(() => undefined)));
    }
  }

  #warnOfUnnumbered(): void {
    const now = this.runtime.monotonic();
    if (now - this.#warnedAt < CLEARED_FOR) return;
    this.#warnedAt = now;
    this.#logger.warn(
      'A message without a number came for a room with history, and its history was cleared: a worker of version 0.1 or ' +
        'an emitter without the option rooms.history sends there. Further ones are counted.',
    );
  }
}

/** Two pages are well within the budget of an outbox. */
function pageBytesOf({ limits: { maxBufferedBytes } }: ResolvedOptions): number {
  return maxBufferedBytes === false ? PAGE_BYTES : Math.min(PAGE_BYTES, Math.max(1, maxBufferedBytes >> 2));
}

/** @throws WsError CONFLICT when the client was let go meanwhile: it goes on from where it was */
function place(cursor: Cursor, offset: number): void {
  if (cursor.state !== 'held') throw leftMeanwhile();
  cursor.notice = null;
  cursor.stand(offset);
}

function notReadable(): WsError {
  return new WsError('FORBIDDEN', 'The history of this room is not open to you.');
}

function leftMeanwhile(): WsError {
  return new WsError('CONFLICT', 'The room was left while it was being joined.');
}
