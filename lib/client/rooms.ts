import type { WsPresencePush, WsRoomLeftReason } from '../protocol/presence.js';
import { EVENT_TYPE } from '../protocol/route-key.js';
import type { WsLossReason } from '../protocol/room-position.js';
import type { ClientReports } from './client-reports.js';
import type { ClientEventMap, RequestOptions } from './options/client-options.interface.js';
import type { ClientTimer } from './options/client-runtime.js';
import type { ConnectionServices } from './connection/connection.js';
import { guard, Listeners } from './listeners.js';
import { fieldsOf, isOffset, rowsOf, type Fields } from './messages/frame-fields.js';
import type { Outbound } from './messages/outbound.js';
import type { OutgoingOptions } from './messages/outgoing.interface.js';
import { readError, type PushFrame, type ValueFrame } from './messages/server-frame.js';
import type { Membership } from './membership.js';
import { changeOf } from './room-members.js';
import type { JoinedRoom, JoinOptions, LeaveOptions, Hold } from './room-joins.interface.js';
import type { PresenceChange, RoomPresence } from './room-presence.interface.js';
import type { RoomPosition } from './room-recovery.interface.js';
import type { Welcome } from './welcome.js';

/** The most rooms in one list. */
const MOST_ROOMS = 1_024;
/** More bytes than a frame has beside its list of rooms. */
const AROUND = 99;
/** How many copies of messages are remembered: as many as a long replay has between two of them. */
const MOST_COPIES = 20_000;

/** What the server tells of a room with history. Only the position is checked. */
interface Told {
  readonly position?: unknown;
  readonly recovered?: unknown;
  readonly reason?: WsLossReason;
  readonly replayed?: number;
}

/** What the server tells when it has taken the client out of a room. */
interface ToldLeft {
  readonly reason?: WsRoomLeftReason;
}

/** The rooms of the client, which it joins again after a reconnect. */
export class Rooms {
  readonly #services: ConnectionServices;
  readonly #outbound: Outbound;
  readonly #reports: ClientReports;
  /** Learns from an answer where the client stands, and who is there, before any message that follows it. */
  readonly #answered = (answer: unknown, asked?: unknown): void => {
    const { data = answer, joined = [data] } = fieldsOf(answer);
    for (const told of rowsOf(joined)) {
      const membership = this.#of(String(told.roomName ?? told.room ?? asked));
      this.#settle(membership, told);
      if (!told.members) continue;
      if (membership.holds.length) membership.asked = this.#welcome;
      if (membership.asked) this.#told(membership.roomName, told);
    }
  };
  /** In the order of the joins. With a server that allows one room at a time, the client is in the last one. */
  readonly #memberships = new Map<string | undefined, Membership>();
  /** Who wants to know who is in a room, by the room. */
  readonly #changes: Listeners<[change: PresenceChange]>;
  /** The room in which each message to several rooms was handled, the oldest first. */
  readonly #copies = new Map<unknown, unknown>();
  /** Runs until failed joins are tried again. */
  #retry: ClientTimer | undefined;
  /** The welcome of the present connection, which identifies it; null without a connection. */
  #welcome: Welcome | null = null;

  constructor(services: ConnectionServices, outbound: Outbound, reports: ClientReports) {
    this.#services = services;
    this.#outbound = outbound;
    this.#reports = reports;
    this.#changes = new Listeners(reports.failed);
    for (const [roomName, position] of Object.entries(services.options.positions ?? {}))
      this.#memberships.set(roomName, { ...this.#of(roomName), position });
  }

  /** Where the application's handlers have finished. */
  get positions(): Record<string, RoomPosition> {
    const finished: Record<string, RoomPosition> = {};
    for (const { roomName, position, queue } of this.#memberships.values()) {
      const [first = position] = queue;
      if (position && first) finished[roomName] = first;
    }
    return finished;
  }

  /** Joins a room. It is remembered once the server has let the client in. */
  async join(roomName: string, { history, since, ...options }: JoinOptions, own?: Hold): Promise<JoinedRoom> {
    const membership = this.#of(roomName, options.username);
    const { state: before } = membership;
    const { username = membership.username, state = before } = options;
    if (since && !membership.on) {
      membership.position = since;
      membership.welcome = undefined;
    }
    this.#memberships.delete(roomName);
    this.#memberships.set(roomName, membership);
    const hold = own ?? {};
    const isMissing = !membership.joining && this.#isMissing(membership);
    if (own) membership.holds.push(hold);
    // A join that `onConnected` repeats on each connection, before the room is joined again, counts once.
    else if (!isMissing) membership.holds.unshift(hold);
    const mayShare =
      membership.username === username &&
      state === before &&
      !options.signal &&
      // Without a connection, a room of the former one is joined again before what waits.
      !(membership.on && !this.#welcome);
    membership.state = state;
    const ask = (): Promise<JoinedRoom> => {
      return this.#enter(
        membership,
        this.#ask(
          'joinRoom',
          membership,
          options,
          { lane: isMissing ? 'first' : undefined, abandoned: () => void (membership.on ??= this.#welcome) },
          { username, history, state, presence: membership.members && true },
        ),
      );
    };
    try {
      const answer = await (mayShare ? (membership.joining ??= ask()) : ask());
      membership.username = username;
      hold.isJoined = true;
      return answer;
    } catch (error) {
      membership.state = before;
      membership.holds = membership.holds.filter((other) => other !== hold);
      throw error;
    } finally {
      // The join has failed, or was left meanwhile.
      if (!this.#of(roomName).holds.length) {
        const { on, position } = membership;
        membership.on = undefined;
        if (!membership.members && !position) this.#memberships.delete(roomName);
        if (on === this.#welcome) this.#ask('leaveRoom', membership, {}, { lane: 'inTurn' }).catch(() => undefined);
      }
    }
  }

  /** Ends a join. With the last one the room is forgotten, and left if the client may be in it. */
  async leave(roomName: string, { all, ...options }: LeaveOptions = {}, own?: Hold): Promise<void> {
    const welcome = this.#welcome;
    const membership = this.#of(roomName);
    const { holds } = membership;
    const at = own ? holds.indexOf(own) : 0;
    if (at < 0) return;
    holds.splice(at, all ? Infinity : 1);
    if (holds.length) return;
    this.#forget(membership);
    // Without a connection there is nothing to leave; a join that waits in the queue is followed by its leave.
    if (!welcome) return;
    await this.#ask('leaveRoom', membership, options, { lane: 'inTurn' }).catch((error: unknown) => {
      // When the connection has ended, the client has left the room anyway.
      if (this.#welcome === welcome) throw error;
    });
  }

  /** Called for a new connection, which is in none of the rooms. Rooms of another user are forgotten. */
  connected(welcome: Welcome): void {
    this.#welcome = welcome;
    for (const membership of this.#memberships.values()) {
      if ((membership.asked ?? welcome).userId !== welcome.userId) this.#end(membership);
      if ((membership.welcome ?? welcome).userId !== welcome.userId) membership.position = undefined;
      if (membership.on?.userId === welcome.userId) continue;
      if (membership.on) membership.state = undefined;
      membership.holds = membership.holds.filter(({ isJoined }) => !isJoined);
      membership.on = undefined;
    }
  }

  /** Called when the connection has ended. */
  disconnected(isLast: boolean): void {
    this.#welcome = null;
    this.#retry?.cancel();
    if (isLast) for (const membership of this.#memberships.values()) this.#end(membership);
  }

  /** Enters on a new connection where the client was, and asks who is in the other rooms that the application looks at. */
  begin(): void {
    this.rejoin();
    for (const membership of this.#memberships.values()) this.#look(membership);
  }

  /** Joins again the rooms that the client is not in, in lists. A list that is refused is divided in halves. */
  rejoin(
    missing = [...this.#memberships.values()].filter(
      (membership) => !membership.joining && this.#isMissing(membership),
    ),
  ): void {
    const { limits, rooms } = this.#welcome ?? {};
    const [first] = missing;
    const half = missing.length >> 1;
    const list = missing.map(({ roomName: room, username, position, members, state }) =>
      username || position || members || state !== undefined
        ? { room, username, since: position, was: position?.was, presence: members && true, state }
        : room,
    );
    if (
      first &&
      missing.length <= MOST_ROOMS &&
      // Servers before the limits do not know labels in lists.
      limits &&
      !rooms?.ownJoin &&
      this.#services.allowance.sizeOf(JSON.stringify(list)) + AROUND <= limits.maxPayload / 2
    ) {
      const message = { type: this.#services.options.codec.ownType, action: 'join', data: { rooms: list } };
      const answer = this.#outbound.ask(message, {}, { lane: 'first', heard: this.#answered });
      for (const membership of missing) {
        membership.joining = this.#enter(membership, answer);
        membership.joining.catch(() => undefined);
      }
    } else if (half) {
      this.rejoin(missing.slice(0, half));
      this.rejoin(missing.slice(half));
    } else if (first) this.join(first.roomName, first).catch(() => undefined);
  }

  /** Whether the room still has to be joined on this connection. */
  #isMissing({ on }: Pick<Membership, 'on'>): unknown {
    return on && this.#welcome && on !== this.#welcome;
  }

  /** Handles the server's answer to a join, which either envelope may express as a refusal. */
  async #enter(membership: Membership, answer: Promise<unknown>): Promise<JoinedRoom> {
    const { roomName } = membership;
    try {
      const { refused, data } = fieldsOf(await answer);
      for (const refusal of rowsOf(refused)) if (refusal.room === roomName) throw readError(refusal);
      membership.on = this.#welcome;
      // Without a position in the answer the room has no history any more.
      this.#settle(membership);
      this.#look(membership);
      return { ...fieldsOf(data), roomName };
    } catch (error) {
      const { retryable, code } = fieldsOf(error);
      const { holds } = membership;
      // Otherwise the client is in the room as before, has left it, or joins it on the next connection.
      if (holds.length && this.#isMissing(membership)) {
        if (retryable !== false) {
          this.#retry?.cancel();
          this.#retry = this.#later(2_000, () => this.rejoin());
          // The server allows one room at a time and another one has taken its place, as it would without a reconnect.
        } else if (code === 'CONFLICT') membership.on = this.#welcome;
        else {
          membership.holds = [];
          this.#forget(membership);
          void this.#tell('onRoomRefused', { roomName, error }, holds, ({ onRefused }) => onRefused?.(error));
        }
      }
      throw error;
    } finally {
      membership.joining = undefined;
    }
  }

  /**
   * Moves the position to a message of the server.
   *
   * @returns has to be called when the message has been handled; undefined when it must not be handled
   */
  accept({ room, offset, copy }: Pick<PushFrame | ValueFrame, 'room' | 'offset' | 'copy'>): (() => void) | undefined {
    const membership = this.#memberships.get(room);
    if (!membership?.position || !offset) return () => undefined;
    const { position, queue } = membership;
    if (offset <= position.offset || membership.welcome !== this.#welcome) return undefined;
    membership.position = { ...position, offset, was: this.#welcome?.clientId };
    if (copy && (this.#copies.get(copy) ?? room) !== room) return undefined;
    this.#copies.set(copy, room);
    const [[oldest] = []] = this.#copies;
    if (this.#copies.size > MOST_COPIES) this.#copies.delete(oldest);
    queue.add(position);
    return () => queue.delete(position);
  }

  /** The server says something about a room. */
  received(action: string, told: Fields): void {
    const isJoined = action === 'joined';
    const membership = this.#of(String(told.roomName));
    const { roomName } = membership;
    if (action === 'presence') this.#told(roomName, told);
    else if (action === 'left') {
      const { holds } = membership;
      const { reason = 'removed' }: ToldLeft = told;
      membership.holds = [];
      this.#forget(membership);
      void this.#tell('onRoomLeft', { roomName, reason }, holds, ({ onLeft }) => onLeft?.(reason));
    } else if (membership.position && membership.welcome !== this.#welcome) {
      // The server has put the client into a room that the client does not join again by itself.
      if (isJoined && !this.#isMissing(membership))
        this.#inquire('recover', membership, () => this.#settle(membership));
    } else {
      if (isJoined) this.#memberships.set(membership.roomName, membership);
      this.#settle(membership, { ...told, recovered: action !== 'lost' });
    }
  }

  #of(roomName: string, username?: string): Membership {
    return this.#memberships.get(roomName) ?? { roomName, username, holds: [], queue: new Set() };
  }

  /** The client is not in the room any more. */
  #forget(membership: Membership): void {
    const { roomName, members } = membership;
    this.#memberships.delete(roomName);
    membership.position = undefined;
    if (!members) return;
    this.#memberships.set(roomName, { ...this.#of(roomName), members });
    this.#told(roomName, { members: [] });
  }

  /** Who is in a room, which the client asks for from now on. */
  members(roomName: string): RoomPresence {
    const membership = this.#of(roomName);
    this.#memberships.set(roomName, membership);
    membership.asked ??= null;
    // A join that follows asks for the list itself.
    queueMicrotask(() => this.#look(this.#of(roomName)));
    return (membership.members ??= {
      members: [],
      count: 0,
      partial: false,
      onChange: (listener) => this.#changes.add(roomName, listener),
    });
  }

  /** Sets what the other members see of the client. */
  async setState(roomName: string, state: unknown, options?: RequestOptions): Promise<void> {
    await this.#outbound.ask({ type: 'system', action: 'presence', data: { roomName, state } }, options);
    this.#of(roomName).state = state;
  }

  /** Takes a list of the members, or differences to one. Those before a list are in it. */
  #told(roomName: string, told: Partial<WsPresencePush>): void {
    const { members, asked } = this.#of(roomName);
    const change = members && (told.members ?? asked) && changeOf(members, told);
    if (!change) return;
    Object.assign(members, change);
    this.#reports.queue(() => this.#changes.call(roomName, change));
  }

  /** Nobody is known to be in the room any more. */
  #end(membership: Membership): void {
    membership.asked &&= null;
    this.#told(membership.roomName, { members: [] });
  }

  /** Asks who is in a room, unless a join does. */
  #look(membership: Membership): void {
    const welcome = this.#welcome;
    const { holds, on, asked } = membership;
    if (!welcome || asked === undefined || asked === welcome || (holds.length && on !== welcome)) return;
    membership.asked = welcome;
    this.#inquire('members', membership, (error) => {
      const isOutside = fieldsOf(error).code === 'FORBIDDEN';
      // The client may have joined the room behind this question, and have its list already.
      if (isOutside && membership.holds.length) return;
      this.#end(membership);
      membership.asked = undefined;
      if (!isOutside) this.#reports.tell('onError', { error });
    });
  }

  /** Tells the application about a room, by its callback and by those of the joins. Resolves when all have finished. */
  #tell<Name extends 'onRoomRefused' | 'onRecovered' | 'onRoomLeft'>(
    name: Name,
    event: ClientEventMap[Name],
    holds: readonly Hold[],
    call: (hold: Hold) => unknown,
  ): Promise<unknown> {
    return Promise.all([
      new Promise<void>((told) => this.#reports.tell(name, event, told)),
      ...holds.map((hold) => guard(() => call(hold), this.#reports.failed)),
    ]);
  }

  /** Moves the position to where the server says; without one the room has no history any more, if it has had one. */
  #settle(membership: Membership, { position, recovered, reason, replayed = 0 }: Told = {}): void {
    const { roomName, position: before, queue } = membership;
    const { epoch, offset } = fieldsOf(position);
    const isReturn = before && membership.welcome !== this.#welcome;
    const isKept = typeof epoch === 'string' && isOffset(offset);
    if (!isKept && !isReturn) return;
    const isLost = !isKept || (isReturn ? !recovered : recovered === false);
    // A join on the same connection is answered with a position that messages have passed meanwhile.
    if (isLost || epoch !== before?.epoch || offset > before.offset)
      membership.position = isKept ? { epoch, offset, was: this.#welcome?.clientId } : undefined;
    membership.welcome = this.#welcome;
    if (!before || !(isLost || isReturn)) return;
    queue.add(before);
    const recovery = { roomName, recovered: !isLost, replayed, reason: isKept ? reason : 'epoch' } as const;
    const tell = (): unknown =>
      this.#tell('onRecovered', recovery, membership.holds, ({ onRecovered }) => onRecovered?.(recovery)).then(() =>
        queue.delete(before),
      );
    // All clients of the room learn of a new epoch at once, and load its state anew.
    if (recovery.reason === 'epoch') this.#later(0, tell);
    else tell();
  }

  /** Asks about a room that the client is in, until there is an answer. */
  #inquire(
    action: 'recover' | 'members',
    membership: Membership,
    refused: (error: unknown) => void,
    welcome = this.#welcome,
  ): void {
    if (this.#welcome !== welcome) return;
    this.#ask(action, membership, {}, { lane: 'first' }, { presence: action === 'members' || undefined }).catch(
      (error: unknown) => {
        if (this.#welcome !== welcome) return;
        if (fieldsOf(error).retryable === false) refused(error);
        else this.#later(2_000, () => this.#inquire(action, membership, refused, welcome));
      },
    );
  }

  /** @param least the shortest wait in ms; the longest is two seconds more */
  #later(least: number, act: () => void): ClientTimer {
    const { runtime } = this.#services;
    return runtime.timeout(least + 2_000 * runtime.random(), act);
  }

  /** Sends the request for one room, in the form that another server of events knows, if it is one. */
  #ask(
    action: 'joinRoom' | 'leaveRoom' | 'recover' | 'members',
    membership: Membership,
    options: RequestOptions,
    own: OutgoingOptions,
    {
      history,
      ...wishes
    }: Pick<JoinOptions, 'username' | 'history' | 'state'> & { presence?: boolean | undefined } = {},
  ): Promise<unknown> {
    const { codec } = this.#services.options;
    const { roomName, position, on } = membership;
    // A room that the client joins again by itself needs no second replay, and the next connection may be another user's.
    const standing = on && !this.#welcome ? undefined : { history, since: position, was: position?.was };
    return this.#outbound.ask(
      codec.beats && codec.isOther
        ? { type: EVENT_TYPE, action: action.slice(0, -4), data: { rooms: [roomName] } }
        : { type: 'system', action, data: { roomName, ...wishes, ...standing } },
      options,
      { ...own, heard: (answer) => this.#answered(answer, roomName) },
    );
  }
}
