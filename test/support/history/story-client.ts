import { once } from 'node:events';
import { WebSocket } from 'ws';
import { RoomRecord, type Position } from './room-record.js';

/** How a client loses its connection. `reset`: both sides know. `silence`: the server does not: nothing is read any more. */
export type Cut = 'reset' | 'silence';

/** The codec that a client speaks. */
export type Speech = 'pxl.v1' | 'event.v1';

/** The fields of a frame, in either codec. */
interface Frame {
  readonly type?: string;
  readonly action?: string;
  readonly event?: string;
  readonly id?: string;
  readonly data?: unknown;
  readonly response?: unknown;
  readonly room?: string;
  readonly offset?: number;
}

/** What an answer says of a room with history. */
interface Verdict {
  readonly position?: Position;
  readonly recovered?: boolean;
  readonly reason?: string;
  readonly replayed?: number;
}

/** Codes after which a join is repeated with the same position. */
const REPEATED = new Set(['UNAVAILABLE', 'TIMEOUT']);
const RETRY = 20;

/**
 * A client as PROTOCOL.md describes one, on bare frames: it keeps its positions, comes back with them, and writes down
 * everything that it gets and is told.
 */
export class StoryClient {
  readonly records = new Map<string, RoomRecord>();
  /** The rooms that it wants to be in, each with how many messages it wants as a newcomer. */
  readonly #wanted = new Map<string, number | undefined>();
  readonly #abandoned: WebSocket[] = [];
  readonly #answers = new Map<string, (frame: Frame | null) => void>();
  readonly #asked = new Map<string, string>();
  /** Rooms whose frames are dropped until `system.recover` is answered. */
  readonly #recovering = new Set<string>();
  #socket: WebSocket | null = null;
  #lastId = 0;
  clientId = '';
  /** Where it is connected, or was. */
  url = '';
  #isWelcome = false;
  #endWait: () => void = () => {};
  /** All ids that it has had. */
  readonly ids = new Set<string>();
  #isClosing = false;
  /** Called when the connection has ended. */
  onGone: () => void = () => {};
  /** Each connection that ended by itself, with its code. */
  readonly closes: number[] = [];

  constructor(
    readonly userId: string,
    private readonly speech: Speech = 'pxl.v1',
  ) {}

  /** Whether it has no connection, and is making none. */
  get isAway(): boolean {
    return this.#socket === null;
  }

  /** The requests that have no answer. */
  get pending(): string[] {
    return [...this.#asked.values()];
  }

  wants(roomName: string): boolean {
    return this.#wanted.has(roomName);
  }

  recordOf(roomName: string): RoomRecord {
    let record = this.records.get(roomName);
    if (!record) this.records.set(roomName, (record = new RoomRecord(roomName)));
    return record;
  }

  /** Connects to a worker, and joins what it was in before; resolves when all of that is done, or the connection has gone. */
  async connect(url: string): Promise<void> {
    const socket = new WebSocket(`${url}?userId=${this.userId}`, [this.speech], { handshakeTimeout: 4_000 });
    this.#socket = socket;
    this.url = url;
    socket.on('error', () => undefined);
    const welcome = new Promise<void>((resolve) => {
      this.#endWait = resolve;
      socket.on('message', (data: Buffer) => {
        if (this.#socket === socket) this.#take(JSON.parse(data.toString()) as Frame, resolve);
      });
      socket.on('close', (code) => {
        if (this.#socket === socket) this.#gone(code);
        resolve();
      });
    });
    await welcome;
    if (this.#socket !== socket) return;
    await Promise.all([...this.#wanted].map(([roomName, history]) => this.#enter(roomName, history)));
  }

  /** Loses its connection; what it had not read yet is lost with it. */
  cut(how: Cut): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#gone(1006);
    if (how === 'reset') {
      socket.terminate();
      return;
    }
    socket.pause();
    this.#abandoned.push(socket);
  }

  /** Reads nothing for a while. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** @param history how many messages it wants when it has no position yet */
  async join(roomName: string, history?: number): Promise<void> {
    this.#wanted.set(roomName, history);
    if (this.#isWelcome) await this.#enter(roomName, history);
  }

  async leave(roomName: string): Promise<void> {
    this.#wanted.delete(roomName);
    if (!this.#isWelcome) {
      this.recordOf(roomName).left();
      return;
    }
    const isPxl = this.speech === 'pxl.v1';
    await (isPxl ? this.#ask('leaveRoom', { roomName }) : this.#ask('leave', { rooms: [roomName] }));
    this.recordOf(roomName).left();
  }

  /** Ends the connections that it had left in silence. */
  forget(): void {
    for (const socket of this.#abandoned.splice(0)) socket.terminate();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.forget();
    const socket = this.#socket;
    this.#socket = null;
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    const closed = once(socket, 'close');
    socket.terminate();
    await closed;
  }

  /** Joins, again and again until there is an answer that holds or the connection has gone. */
  async #enter(roomName: string, history: number | undefined): Promise<void> {
    const socket = this.#socket;
    const record = this.recordOf(roomName);
    while (this.#socket === socket && this.#wanted.has(roomName)) {
      const since = record.position;
      const wish = since ? { since } : history === undefined ? {} : { history };
      const isPxl = this.speech === 'pxl.v1';
      const frame = await (isPxl
        ? this.#ask('joinRoom', { roomName, ...wish, ...this.#before(record) }, (answer) =>
            this.#joined(record, since, answer),
          )
        : this.#ask('join', { rooms: [{ room: roomName, ...wish, ...this.#before(record) }] }, (answer) =>
            this.#joined(record, since, answer),
          ));
      if (frame === null || !REPEATED.has(codeOf(frame) ?? '')) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }

  /** The id under which it got its position. */
  #before({ clientId }: RoomRecord): { was?: string } {
    return clientId === '' ? {} : { was: clientId };
  }

  #joined(record: RoomRecord, since: Position | undefined, frame: Frame): void {
    const code = codeOf(frame);
    if (code !== undefined) {
      if (!REPEATED.has(code)) record.faults.push(`the join is refused ${code}: ${JSON.stringify(frame)}`);
      return;
    }
    this.#stands(record, since, verdictOf(frame));
  }

  #stands(record: RoomRecord, since: Position | undefined, verdict: Verdict | undefined): void {
    if (!verdict?.position) {
      record.faults.push(`an answer without a position: ${JSON.stringify(verdict)}`);
      return;
    }
    const { position, recovered, reason, replayed = 0 } = verdict;
    record.stands({ position, since, recovered, reason, replayed }, this.clientId);
  }

  #take(frame: Frame, welcomed: () => void): void {
    const { type, action } = namesOf(frame);
    if (frame.id !== undefined) {
      const answer = this.#answers.get(frame.id);
      this.#answers.delete(frame.id);
      answer?.(frame);
    } else if (typeof frame.offset === 'number' && typeof frame.room === 'string') {
      if (!this.#recovering.has(frame.room)) this.recordOf(frame.room).got(frame.offset, String(frame.data));
    } else if (type === 'room' && ['lost', 'joined', 'position'].includes(action)) {
      this.#told(action, frame.data as Verdict & { roomName: string });
    } else if (action === 'connected') {
      const { clientId, id } = frame.data as { clientId?: string; id?: string };
      this.clientId = clientId ?? id ?? '';
      this.ids.add(this.clientId);
      this.#isWelcome = true;
      welcomed();
    }
  }

  #told(action: string, { roomName, position, reason }: Verdict & { roomName: string }): void {
    const record = this.recordOf(roomName);
    if (!position) {
      record.faults.push(`room.${action} without a position`);
    } else if (action === 'joined') {
      if (record.position) void this.#recover(record, record.position);
      else {
        const none = { since: undefined, recovered: undefined, reason: undefined, replayed: 0 };
        record.stands({ position, ...none }, this.clientId);
      }
    } else if (this.#recovering.has(roomName)) {
      return;
    } else if (action === 'lost') record.lost(position, String(reason));
    else record.moved(position);
  }

  /** The server has put it into a room that it knows from before. */
  async #recover(record: RoomRecord, since: Position): Promise<void> {
    const { roomName } = record;
    const socket = this.#socket;
    this.#recovering.add(roomName);
    while (this.#socket === socket) {
      const frame = await this.#ask('recover', { roomName, since, ...this.#before(record) }, (answer) => {
        if (codeOf(answer) === undefined) this.#recovering.delete(roomName);
        this.#joined(record, since, answer);
      });
      if (frame === null || !REPEATED.has(codeOf(frame) ?? '')) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }

  /** @param answered called when the answer comes, before any frame behind it. @returns null when the connection has gone */
  #ask(action: string, data: unknown, answered: (frame: Frame) => void = () => {}): Promise<Frame | null> {
    const id = `s${++this.#lastId}`;
    const isPxl = this.speech === 'pxl.v1';
    const event = ['join', 'leave'].includes(action) ? action : `system:${action}`;
    return new Promise((resolve) => {
      this.#asked.set(id, `${action} ${JSON.stringify(data)}`);
      this.#answers.set(id, (frame) => {
        this.#asked.delete(id);
        if (frame) answered(frame);
        resolve(frame);
      });
      this.#socket!.send(JSON.stringify(isPxl ? { type: 'system', action, data, id } : { event, data, id }));
    });
  }

  #gone(code: number): void {
    this.#socket = null;
    this.#isWelcome = false;
    if (!this.#isClosing) this.closes.push(code);
    this.#recovering.clear();
    for (const record of this.records.values()) record.isMember = false;
    for (const answer of [...this.#answers.values()]) answer(null);
    this.#answers.clear();
    this.#endWait();
    this.onGone();
  }
}

function namesOf({ type, action, event }: Frame): { type: string; action: string } {
  if (event === undefined) return { type: type ?? '', action: action ?? '' };
  const [first, second] = event.split(':');
  return second === undefined ? { type: '', action: first! } : { type: first!, action: second };
}

function codeOf({ type, event, data, response }: Frame): string | undefined {
  if (type === 'error' || event === 'error') return (data as { code: string }).code;
  const { refused = [] } = (response ?? data ?? {}) as { refused?: { code: string }[] };
  return refused[0]?.code;
}

function verdictOf({ response, data }: Frame): Verdict | undefined {
  const answer = (response ?? data) as { data?: Verdict; joined?: Verdict[] } & Verdict;
  return answer.joined?.[0] ?? answer.data ?? answer;
}
