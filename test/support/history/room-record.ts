/** Where somebody stands in a room. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** What a client was told of a room, or got of it, in the order in which it came. */
export type RoomNote =
  /** The answer to a join or to `system.recover`, or `room.joined`. */
  | {
      readonly kind: 'stands';
      readonly position: Position;
      /** What the client had named. */
      readonly since: Position | undefined;
      readonly recovered: boolean | undefined;
      readonly reason: string | undefined;
      readonly replayed: number;
      /** The ids of what is excluded from the replay: that of the present connection, and that of the one before. */
      readonly ids: readonly string[];
    }
  /** The push `room.lost`. */
  | { readonly kind: 'lost'; readonly position: Position; readonly reason: string }
  /** The push `room.position`. */
  | { readonly kind: 'moved'; readonly position: Position }
  /** A numbered message: `said` is its data, `copy` what copies in other rooms have in common. */
  | { readonly kind: 'got'; readonly epoch: string; readonly offset: number; readonly said: string }
  /** The client has left; its position stays with it. */
  | { readonly kind: 'left' };

/** Everything that one client knows of one room, over all of its connections. */
export class RoomRecord {
  readonly notes: RoomNote[] = [];
  /** Where the client stands. Undefined: it never was a member. */
  position: Position | undefined;
  isMember = false;
  /** The id of the client when it got its position. */
  clientId = '';
  /** What came against the rules of the protocol. */
  readonly faults: string[] = [];

  constructor(readonly roomName: string) {}

  stands(answer: Omit<RoomNote & { kind: 'stands' }, 'kind' | 'ids'>, clientId: string): void {
    this.isMember = true;
    this.notes.push({ kind: 'stands', ...answer, ids: [clientId, this.clientId] });
    this.clientId = clientId;
    this.position = answer.position;
  }

  lost(position: Position, reason: string): void {
    this.notes.push({ kind: 'lost', position, reason });
    this.position = position;
  }

  moved(position: Position): void {
    this.notes.push({ kind: 'moved', position });
    this.position = position;
  }

  got(offset: number, said: string): void {
    const { position } = this;
    if (!position || !this.isMember) {
      this.faults.push(`message ${offset} came to somebody who is no member`);
      return;
    }
    this.notes.push({ kind: 'got', epoch: position.epoch, offset, said });
    this.position = { epoch: position.epoch, offset };
  }

  left(): void {
    this.isMember = false;
    this.notes.push({ kind: 'left' });
  }
}
