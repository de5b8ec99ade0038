import type { WsRetention } from '../../options/rooms/history.options.js';
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** Milliseconds between two looks. */
const PERIOD = 30_000;
/** The most rooms that are remembered. What others kept goes with their numbering. */
const MOST = 50_000;

interface UsedRoom {
  readonly retention: WsRetention;
  /** When a message was last added (monotonic, ms). */
  readonly at: number;
}

/**
 * The rooms to which this process has added messages, until these have expired: then they are removed from Redis, where the
 * room's numbering is kept for days.
 */
export class ExpiredRooms {
  /** The one that was used the longest time ago comes first. */
  readonly #rooms = new Map<string, UsedRoom>();
  #timer: RuntimeTimer | null = null;
  #isStopped = false;

  /** @param remove removes what has expired of a room, as does every look at it */
  constructor(
    private readonly remove: (roomName: string, retention: WsRetention) => Promise<unknown>,
    private readonly runtime: Runtime,
  ) {}

  /** A message was added to the room. */
  used(roomName: string, retention: WsRetention): void {
    this.#rooms.delete(roomName);
    this.#rooms.set(roomName, { retention, at: this.runtime.monotonic() });
    if (this.#rooms.size > MOST) this.#forgetOldest();
    if (!this.#isStopped) this.#timer ??= this.runtime.timeout(PERIOD, this.#look);
  }

  stop(): void {
    this.#isStopped = true;
    this.#rooms.clear();
    this.#timer?.cancel();
  }

  #forgetOldest(): void {
    const [oldest] = this.#rooms.keys();
    if (oldest !== undefined) this.#rooms.delete(oldest);
  }

  readonly #look = (): void => {
    const now = this.runtime.monotonic();
    const expired = [...this.#rooms].filter(([, { retention, at }]) => now - at > retention.ttl);
    void this.#removeAll(expired).then(() => {
      const isNeeded = this.#rooms.size > 0 && !this.#isStopped;
      this.#timer = isNeeded ? this.runtime.timeout(PERIOD, this.#look) : null;
    });
  };

  /** One after the other: nobody waits for it. */
  async #removeAll(expired: readonly [roomName: string, used: UsedRoom][]): Promise<void> {
    for (const [roomName, used] of expired) {
      // It may have been used again meanwhile.
      if (this.#rooms.get(roomName) !== used) continue;
      try {
        await this.remove(roomName, used.retention);
      } catch {
        return; // Redis is away: at the next look
      }
      if (this.#rooms.get(roomName) === used) this.#rooms.delete(roomName);
    }
  }
}
