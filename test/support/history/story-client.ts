import { answerOf, codeOf, FrameClient, namesOf, type Frame, type Speech } from '../frame-client.js';
import { RoomRecord, type Position } from './room-record.js';

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
export class StoryClient extends FrameClient {
  readonly records = new Map<string, RoomRecord>();
  /** All ids that it has had. */
  readonly ids = new Set<string>();
  /** The rooms that it wants to be in, each with how many messages it wants as a newcomer. */
  readonly #wanted = new Map<string, number | undefined>();
  /** Rooms whose frames are dropped until `system.recover` is answered. */
  readonly #recovering = new Set<string>();

  constructor(
    readonly userId: string,
    speech: Speech = 'pxl.v1',
  ) {
    super(speech);
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
    if (!(await this.open(url, { userId: this.userId }))) return;
    await Promise.all([...this.#wanted].map(([roomName, history]) => this.#enter(roomName, history)));
  }

  /** @param history how many messages it wants when it has no position yet */
  async join(roomName: string, history?: number): Promise<void> {
    this.#wanted.set(roomName, history);
    if (this.isWelcome) await this.#enter(roomName, history);
  }

  async leave(roomName: string): Promise<void> {
    this.#wanted.delete(roomName);
    if (!this.isWelcome) {
      this.recordOf(roomName).left();
      return;
    }
    await (this.isPxl ? this.ask('leaveRoom', { roomName }) : this.ask('leave', { rooms: [roomName] }));
    this.recordOf(roomName).left();
  }

  /** Joins, again and again until there is an answer that holds or the connection has gone. */
  async #enter(roomName: string, history: number | undefined): Promise<void> {
    const { connection } = this;
    const record = this.recordOf(roomName);
    while (this.connection === connection && this.#wanted.has(roomName)) {
      const since = record.position;
      const wish = since ? { since } : history === undefined ? {} : { history };
      const frame = await (this.isPxl
        ? this.ask('joinRoom', { roomName, ...wish, ...this.#before(record) }, (answer) =>
            this.#joined(record, since, answer),
          )
        : this.ask('join', { rooms: [{ room: roomName, ...wish, ...this.#before(record) }] }, (answer) =>
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
    this.#stands(record, since, answerOf(frame) as Verdict | undefined);
  }

  #stands(record: RoomRecord, since: Position | undefined, verdict: Verdict | undefined): void {
    if (!verdict?.position) {
      record.faults.push(`an answer without a position: ${JSON.stringify(verdict)}`);
      return;
    }
    const { position, recovered, reason, replayed = 0 } = verdict;
    record.stands({ position, since, recovered, reason, replayed }, this.clientId);
  }

  protected override welcomed(): void {
    this.ids.add(this.clientId);
  }

  protected override pushed(frame: Frame): void {
    const { type, action } = namesOf(frame);
    if (typeof frame.offset === 'number' && typeof frame.room === 'string') {
      if (!this.#recovering.has(frame.room)) this.recordOf(frame.room).got(frame.offset, String(frame.data));
    } else if (type === 'room' && ['lost', 'joined', 'position'].includes(action)) {
      this.#told(action, frame.data as Verdict & { roomName: string });
    }
  }

  protected override gone(): void {
    this.#recovering.clear();
    for (const record of this.records.values()) record.isMember = false;
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
    const { connection } = this;
    this.#recovering.add(roomName);
    while (this.connection === connection) {
      const frame = await this.ask('recover', { roomName, since, ...this.#before(record) }, (answer) => {
        if (codeOf(answer) === undefined) this.#recovering.delete(roomName);
        this.#joined(record, since, answer);
      });
      if (frame === null || !REPEATED.has(codeOf(frame) ?? '')) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
}
