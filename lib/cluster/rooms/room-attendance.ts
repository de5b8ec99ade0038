import type { PresenceListener, RoomPresence } from '../../presence/room-presence.interface.js';
import type { WsMember } from '../../protocol/presence.js';
import type { RoomNames } from '../../rooms/room-names.js';
import type { ClusterClock } from '../../runtime/cluster-clock.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import type { ClusterEvents } from '../events/cluster-events.js';
import type { SubjectEnd, Subjects, SubjectsHost } from '../subjects/subjects.interface.js';
import { readRoomNews, ROOM_EVENTS, type RoomNews } from './room-news.js';
import { memberSubject, readSubject, roomSubject } from './room-subject.js';

/** The token of the {@link RoomAttendance}; null where no room has presence. */
export const ROOM_ATTENDANCE = Symbol('PXL_WS_ROOM_ATTENDANCE');

/** The token of the {@link RoomSubjects}; null where no room has presence. */
export const ROOM_SUBJECTS = Symbol('PXL_WS_ROOM_SUBJECTS');

/** Rooms with presence and their members, as long as some worker has them. */
export type RoomSubjects = Subjects<LastWords>;

/** The last words about a member; null of a room. */
export type LastWords = WsMember | null;

export interface RoomAttendanceOptions {
  readonly prefix: string;
  readonly workerId: string;
  /** `shutdown.reconnectSpread`, ms: how much later than others the clients of a stopping worker may come back. */
  readonly spread: number;
  readonly names: RoomNames;
}

/**
 * Announces members of rooms with presence that come and go, and rooms that get their first member or lose the last one: once in
 * the cluster, after the grace. Each worker has those of its own clients, and says so only where the application has a
 * subscriber of one of these events.
 */
export class RoomAttendance implements PresenceListener, SubjectsHost<LastWords>, MetricSource {
  readonly channel: string;
  #subjects: RoomSubjects | null = null;
  #junk = 0;

  constructor(
    private readonly presence: RoomPresence,
    private readonly events: ClusterEvents,
    private readonly clock: ClusterClock,
    private readonly options: RoomAttendanceOptions,
  ) {
    this.channel = `${options.prefix}:rooms`;
  }

  *metrics(): Iterable<WebSocketMetric> {
    // Messages on the channel that are not news of this library.
    yield counter('room_news_junk', this.#junk);
  }

  /** Sets where rooms and members are kept; to be called before the start. */
  keepIn(subjects: RoomSubjects): void {
    this.#subjects = subjects;
  }

  began(roomName: string, key: string): void {
    if (!ROOM_EVENTS.some((event) => this.events.isHeardOn(event))) return;
    this.#subjects?.open(roomSubject(roomName));
    this.#subjects?.open(memberSubject(roomName, key));
  }

  ended(roomName: string, key: string, until: number | undefined, isTaken: boolean): void {
    // The other worker may not have told Redis yet, so that this one does not leave the member before.
    const lasts = isTaken ? (until ?? this.clock.now() + this.#graceOf(roomName)) : undefined;
    this.#subjects?.close(memberSubject(roomName, key), { note: this.#describe(roomName, key), until: lasts });
    this.#subjects?.close(roomSubject(roomName), { note: null, until: lasts });
  }

  /** Takes a message of {@link channel}. */
  receive(text: string): void {
    const news = readRoomNews(text);
    if (!news) {
      this.#junk++;
      return;
    }
    const { event: channel, workerId, roomName, ...rest } = news;
    const message = { ...this.options.names.read(roomName), ...rest };
    this.events.tell({ channel, message, isResponsible: workerId === this.options.workerId });
  }

  groupOf(subject: string): string {
    return readSubject(subject).roomName;
  }

  isFrame(subject: string): boolean {
    return readSubject(subject).key === undefined;
  }

  news(subject: string, begins: boolean, note: LastWords | undefined): string {
    const { roomName, key } = readSubject(subject);
    const { workerId } = this.options;
    if (key === undefined) {
      return textOf({ event: begins ? 'roomOccupied' : 'roomVacated', workerId, roomName });
    }
    const member = this.#memberOf(roomName, key) ?? note ?? this.#describe(roomName, key);
    return textOf({ event: begins ? 'presenceJoined' : 'presenceLeft', workerId, roomName, member });
  }

  inherits(subject: string, until: number | undefined): Required<SubjectEnd<LastWords>> | null {
    const { roomName, key } = readSubject(subject);
    const note = key === undefined ? null : this.#describe(roomName, key);
    return { note, until: until ?? this.clock.now() + this.#graceOf(roomName) };
  }

  outlasts(subject: string): number {
    const grace = this.#graceOf(readSubject(subject).roomName);
    return grace > 0 ? this.options.spread + grace : 0;
  }

  #graceOf(roomName: string): number {
    return this.presence.rulesOf(roomName)?.grace ?? 0;
  }

  #memberOf(roomName: string, key: string): WsMember | undefined {
    const member = this.presence.memberOf(roomName, key);
    if (!member) return undefined;
    const { userId, clientId, username, profile, state, joinedAt } = member;
    return { userId, clientId, username, profile, state, joinedAt };
  }

  /** A member as this worker knows it; one that it does not know any more has its id. */
  #describe(roomName: string, key: string): WsMember {
    const id = key.slice(1);
    const who = key.startsWith('u') ? { userId: id } : { clientId: id };
    return this.#memberOf(roomName, key) ?? { ...who, joinedAt: new Date(this.clock.now()).toISOString() };
  }
}

function textOf(news: RoomNews): string {
  return JSON.stringify(news);
}
