import type { SharedFrame } from '../clients/session/client-outbox.interface.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { encodeMessage } from '../clients/encode-message.js';
import { pxlCodec } from '../protocol/pxl.codec.js';
import { isThenable } from '../runtime/thenable.js';
import type { RuntimeTimer } from '../runtime/runtime.js';
import type { SendTerms } from '../clients/room-windows.js';
import { Cursor, type Notice } from './cursor.js';
import { translateFrame, type NumberedMessage } from './numbered-message.js';
import type { LogPage } from './kept-frames.js';
import type { LogServices } from './log-services.js';
import type { LogListener, RoomLog } from './room-log.js';
import type { WsLossReason } from './room-history.interface.js';
import type { WsPosition } from './room-store.interface.js';

/** The shortest time between two pushes of a position to one member, in ms. */
const POSITION_INTERVAL = 1_000;
/** Milliseconds before a page is asked for once more that could not be read. */
const AGAIN = 1_000;
/** How a live message waits for its sockets: as any message of its room. */
const ORDINARY: SendTerms = {};

/**
 * The members of one room on this worker. Those that are live get each message as it comes. The others get it from the log,
 * page by page as their sockets drain, until they have reached the top. So nobody loses a numbered message by reading
 * slowly, and a long replay never fills an outbox.
 */
export class RoomAudience implements LogListener {
  readonly #cursors = new Map<ClientSession, Cursor>();
  readonly #live = new Set<Cursor>();
  /** Members that have come from a worker that was ahead of this one. */
  readonly #ahead = new Set<Cursor>();
  /** The members that did not get the newest message, since it excludes them. */
  #leftOut: Cursor[] = [];
  #positionTimer: RuntimeTimer | null = null;

  constructor(
    private readonly log: RoomLog,
    private readonly services: LogServices,
  ) {
    log.listen(this);
  }

  /** @param isRequest whether the client has asked itself, so that its answer comes first */
  enter(client: ClientSession, isRequest: boolean): void {
    const cursor = new Cursor(client);
    this.#cursors.set(client, cursor);
    cursor.stand(this.log.delivered);
    if (isRequest) return;
    cursor.notice = { action: 'joined', position: this.log.position };
    this.#goBehind(cursor);
  }

  exit(client: ClientSession): void {
    const cursor = this.#cursors.get(client);
    if (!cursor) return;
    this.#cursors.delete(client);
    this.#takeOut(cursor);
    cursor.state = 'gone';
  }

  /** Nobody is here any more. */
  close(): void {
    for (const client of this.#cursors.keys()) this.exit(client);
    this.#positionTimer?.cancel();
  }

  of(client: ClientSession): Cursor | undefined {
    return this.#cursors.get(client);
  }

  /** Nothing numbered goes to the member until {@link release}. Returns whether it was not held before. */
  hold(cursor: Cursor): boolean {
    if (cursor.state === 'held' || cursor.state === 'gone') return false;
    if (cursor.state === 'live') cursor.stand(this.log.delivered);
    this.#takeOut(cursor);
    cursor.state = 'held';
    return true;
  }

  release(cursor: Cursor): void {
    if (cursor.state === 'held') this.#goBehind(cursor);
  }

  delivered(message: NumberedMessage): void {
    const { offset, exclusion } = message;
    const { traces } = this.services;
    if (traces.isOn) traces.pushed(this.log.roomName, () => message.frameFor(pxlCodec).text, this.#cursors.size);
    const termsOf = this.services.windows.ofRoom(this.log.roomName, ORDINARY);
    if (this.#leftOut.length > 0) this.#leftOut = [];
    for (const cursor of this.#live) {
      const { client } = cursor;
      if (client.backpressured) {
        cursor.stand(offset - 1);
        this.#goBehind(cursor);
      } else if (exclusion !== undefined && cursor.isExcluded(exclusion)) {
        this.#leftOut.push(cursor);
      } else client.sendFrame(message.frameFor(client.codec), termsOf(client));
    }
    if (this.#leftOut.length > 0) this.#tellPositionsSoon();
    if (this.#ahead.size > 0) this.#fetch(offset);
  }

  lost(position: WsPosition, reason: WsLossReason, before: number): void {
    this.#leftOut = [];
    for (const cursor of this.#cursors.values()) {
      if (cursor.state === 'live') cursor.stand(before);
      // Some have had it by another worker already.
      const isThere = reason !== 'epoch' && cursor.next > position.offset;
      if (!isThere) this.#lose(cursor, position, reason);
      else if (cursor.state === 'ahead') this.#goBehind(cursor);
    }
  }

  /** This worker has come to where some members stand. */
  #fetch(offset: number): void {
    for (const cursor of this.#ahead) if (cursor.next <= offset + 1) this.#goBehind(cursor);
  }

  #lose(cursor: Cursor, position: WsPosition, reason: WsLossReason): void {
    cursor.notice = { action: 'lost', position, reason };
    cursor.promised = Infinity;
    cursor.stand(position.offset);
    // One that is held is told by its answer, or behind it.
    if (cursor.state !== 'held') this.#goBehind(cursor);
  }

  #takeOut(cursor: Cursor): void {
    this.#live.delete(cursor);
    this.#ahead.delete(cursor);
  }

  #goBehind(cursor: Cursor): void {
    this.#takeOut(cursor);
    cursor.state = 'behind';
    cursor.isNew = false;
    cursor.promised = Infinity;
    if (cursor.isPumped) return;
    cursor.isPumped = true;
    this.#pump(cursor);
  }

  #goLive(cursor: Cursor): void {
    cursor.state = 'live';
    this.#live.add(cursor);
    if (cursor.told < this.log.delivered) this.#tellPosition(cursor);
  }

  #goAhead(cursor: Cursor): void {
    cursor.state = 'ahead';
    this.#ahead.add(cursor);
  }

  readonly #pump = (cursor: Cursor): void => {
    const { client } = cursor;
    const { pageBytes } = this.services;
    while (cursor.state === 'behind') {
      if (client.backpressured || client.bufferedAmount >= pageBytes) {
        client.whenDrained(() => this.#pump(cursor));
        return;
      }
      if (cursor.notice) this.#send(cursor, cursor.notice);
      if (cursor.next > this.log.delivered) {
        if (cursor.next === this.log.delivered + 1) this.#goLive(cursor);
        else this.#goAhead(cursor);
        break;
      }
      const page = this.log.frames.page(cursor.next, pageBytes);
      if (isThenable(page)) {
        this.#pumpLater(cursor, page);
        return;
      }
      this.#replay(cursor, page);
    }
    cursor.isPumped = false;
  };

  #pumpLater(cursor: Cursor, page: Promise<LogPage>): void {
    const { next } = cursor;
    const again = (): void => this.#pump(cursor);
    page.then(
      (read) => {
        // The member may have asked for another place meanwhile, or lost this one.
        if (cursor.state === 'behind' && cursor.next === next) this.#replay(cursor, read);
        if (read.frames.length === 0 && read.lostUpTo === undefined) this.services.runtime.timeout(AGAIN, again);
        else again();
      },
      () => this.services.runtime.timeout(AGAIN, again),
    );
  }

  #replay(cursor: Cursor, { frames, lostUpTo }: LogPage): void {
    if (lostUpTo !== undefined) {
      this.#lose(cursor, { epoch: this.log.epoch, offset: lostUpTo }, 'trimmed');
      return;
    }
    const { client } = cursor;
    for (const [offset, frame, exclusion] of frames) {
      cursor.next = offset + 1;
      if (cursor.isExcluded(exclusion)) continue;
      cursor.told = offset;
      this.services.counts.replayed++;
      client.sendFrame(this.#framed(frame, client));
    }
  }

  #framed(frame: SharedFrame, { codec }: ClientSession): SharedFrame {
    return codec === this.services.codec ? frame : translateFrame(frame, codec);
  }

  #send(cursor: Cursor, { action, position, reason }: Notice): void {
    cursor.notice = null;
    if (reason) this.services.counts.lost[reason]++;
    this.#push(cursor, action, { roomName: this.#name, position, reason });
  }

  /** A member whose messages all excluded it would else stand at an old position, which is trimmed one day. */
  #tellPositionsSoon(): void {
    this.#positionTimer ??= this.services.runtime.timeout(POSITION_INTERVAL, () => {
      this.#positionTimer = null;
      for (const cursor of this.#leftOut) if (cursor.state === 'live') this.#tellPosition(cursor);
      this.#leftOut = [];
    });
  }

  #tellPosition(cursor: Cursor): void {
    if (cursor.client.backpressured) return; // it goes behind with the next message, and is told at the top
    cursor.told = this.log.delivered;
    this.#push(cursor, 'position', { roomName: this.#name, position: this.log.position });
  }

  /** What clients call the room. */
  get #name(): string {
    return this.services.names.nameOf(this.log.roomName);
  }

  #push({ client }: Cursor, action: string, data: object): void {
    client.sendText(encodeMessage(client.codec, { type: 'room', action, data }));
  }
}
