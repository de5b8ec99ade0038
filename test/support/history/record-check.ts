import type { Position, RoomNote, RoomRecord } from './room-record.js';
import type { RoomTruth } from './room-witness.js';
import type { StoryClient } from './story-client.js';

/** What is allowed to have happened to a room. */
export interface RoomStory {
  readonly truth: RoomTruth;
  /** The most messages that the room keeps. */
  readonly size: number;
  /** Whether its messages may have expired. */
  readonly mayExpire: boolean;
  /** The id of the client that is excluded from what was said. */
  readonly excluded: ReadonlyMap<string, string | undefined>;
}

/**
 * Holds what a client knows of a room against what was appended: everything behind its position, in order and once; or it was
 * told, with a reason that is true.
 *
 * @returns what is wrong, in sentences
 */
export function faultsOf(record: RoomRecord, client: StoryClient, story: RoomStory): string[] {
  const walk = new Walk(record, client.ids, story);
  return [...record.faults, ...walk.faults()].map((fault) => `${client.userId} in ${record.roomName}: ${fault}`);
}

class Walk {
  readonly #faults: string[] = [];
  #at: Position | undefined;
  /** What is excluded for sure. */
  #present: readonly string[] = [];

  constructor(
    private readonly record: RoomRecord,
    private readonly ids: ReadonlySet<string>,
    private readonly story: RoomStory,
  ) {}

  faults(): string[] {
    for (const note of this.record.notes) {
      if (note.kind === 'stands') this.#stands(note);
      else if (note.kind === 'lost') this.#told(note.reason, note.position, 'room.lost');
      else if (note.kind === 'moved') this.#moved(note.position);
      else if (note.kind === 'got') this.#got(note);
    }
    if (this.record.isMember) this.#isWhole();
    return this.#faults;
  }

  #stands({ since, recovered, reason, position, ids }: RoomNote & { kind: 'stands' }): void {
    // Who is not recovered has no past.
    this.#present = recovered === false ? ids.slice(0, 1) : ids;
    if (since === undefined) {
      if (recovered !== undefined) this.#fault(`recovered is ${recovered} where no position was named`);
      this.#at = position;
    } else if (recovered === true) {
      if (text(position) !== text(since))
        this.#fault(`recovered from ${text(since)}, but it stands at ${text(position)}`);
      if (reason !== undefined) this.#fault(`recovered, and a reason: ${reason}`);
      this.#at = since;
    } else if (recovered === false) {
      this.#at = since;
      this.#told(reason, position, 'the answer');
    } else {
      this.#fault(`no verdict on ${text(since)}`);
      this.#at = position;
    }
  }

  #told(reason: string | undefined, position: Position, by: string): void {
    const before = this.#at;
    this.#at = position;
    if (before === undefined) {
      this.#fault(`${by} speaks of a loss, but it never had a position`);
      return;
    }
    if (reason === 'epoch') {
      if (before.epoch === position.epoch) this.#fault(`${by} says epoch, but it still is ${before.epoch}`);
      return;
    }
    if (reason !== 'trimmed') {
      this.#fault(`${by} names the reason ${reason}`);
      return;
    }
    const { size, mayExpire, truth } = this.story;
    if (before.epoch !== position.epoch) this.#fault(`${by} says trimmed, but the epoch is another one`);
    const isTrimmed =
      truth.topOf(before.epoch) - before.offset > size || (mayExpire && position.offset > before.offset);
    if (!isTrimmed) this.#fault(`${by} says trimmed at ${text(before)}, but all of it is kept (${text(position)})`);
  }

  #moved(position: Position): void {
    if (position.epoch !== this.#at?.epoch) {
      this.#fault(`room.position of another epoch, ${text(position)}`);
      return;
    }
    if (position.offset < this.#at.offset) {
      this.#fault(`room.position goes back to ${text(position)}`);
      return;
    }
    this.#expectHidden(position.offset);
    this.#at = position;
  }

  #got({ epoch, offset, said }: Position & { said: string }): void {
    if (this.#at?.epoch !== epoch) {
      this.#fault(`message ${offset} of an epoch that it was not told of`);
      return;
    }
    if (offset <= this.#at.offset) {
      this.#fault(`message ${offset} after ${this.#at.offset}: again, or back`);
      return;
    }
    this.#expectHidden(offset - 1);
    const truth = this.story.truth.at(epoch, offset);
    if (truth === undefined) this.#fault(`message ${offset} of ${epoch} was never appended`);
    else if (truth !== said) this.#fault(`message ${offset} is ${said} here and ${truth} in the room`);
    const excluded = this.story.excluded.get(said);
    if (excluded !== undefined && this.#present.includes(excluded))
      this.#fault(`message ${offset} excludes this client`);
    this.#at = { epoch, offset };
  }

  /** The end of a story: everything up to the top has come. */
  #isWhole(): void {
    const { truth } = this.story;
    if (!this.#at) {
      this.#fault('a member without a position');
      return;
    }
    if (this.#at.epoch !== truth.epoch) {
      this.#fault(`it stands in ${this.#at.epoch}, the room in ${truth.epoch}`);
      return;
    }
    this.#expectHidden(truth.topOf(this.#at.epoch));
  }

  /** What lies between where the client stands and `until` was not for it. */
  #expectHidden(until: number): void {
    const { epoch, offset } = this.#at!;
    for (let at = offset + 1; at <= until; at++) {
      const said = this.story.truth.at(epoch, at);
      if (said === undefined) this.#fault(`a hole at ${at} of ${epoch}, where nobody has seen a message`);
      else if (!this.#mayMiss(said)) this.#fault(`a silent hole at ${at} of ${epoch} (${said})`);
    }
  }

  /** An id that is older than `was` may be excluded or not: the server knows of it only by the client's word. */
  #mayMiss(said: string): boolean {
    const excluded = this.story.excluded.get(said);
    return excluded !== undefined && this.ids.has(excluded);
  }

  #fault(sentence: string): void {
    this.#faults.push(sentence);
  }
}

function text({ epoch, offset }: Position): string {
  return `${offset} of ${epoch}`;
}
