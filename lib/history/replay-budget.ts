import type { ClientSession } from '../clients/session/client-session.js';
import type { Runtime } from '../runtime/runtime.js';

/** Bytes of kept messages that a user, or an anonymous client, gets in a minute. */
const BYTES_A_MINUTE = 16_777_216;
const MINUTE = 60_000;

interface Spending {
  bytes: number;
  /** When the minute began (monotonic). */
  since: number;
}

/** Counts the bytes of kept messages that are sent to connections. */
export class ReplayBudget {
  readonly #connections = new WeakMap<ClientSession, number>();
  /** The one whose minute began first comes first. */
  readonly #readers = new Map<string, Spending>();

  /** @param perConnection bytes that a connection gets when it returns, in all its rooms together */
  constructor(
    private readonly perConnection: number,
    private readonly runtime: Runtime,
  ) {}

  /** Bytes that a connection may still get by its joins. */
  leftOf(client: ClientSession): number {
    return Math.min(this.perConnection - (this.#connections.get(client) ?? 0), this.leftOfMinute(client));
  }

  /** Bytes that the client, or its user, may still read in this minute. */
  leftOfMinute(client: ClientSession): number {
    const spending = this.#readers.get(readerOf(client));
    if (!spending || this.#isOver(spending)) return BYTES_A_MINUTE;
    return BYTES_A_MINUTE - spending.bytes;
  }

  /** Counts bytes that a join replays. */
  spend(client: ClientSession, bytes: number): void {
    this.#connections.set(client, (this.#connections.get(client) ?? 0) + bytes);
    this.spendOfMinute(client, bytes);
  }

  spendOfMinute(client: ClientSession, bytes: number): void {
    if (bytes === 0) return;
    const reader = readerOf(client);
    const spending = this.#readers.get(reader);
    if (spending && !this.#isOver(spending)) {
      spending.bytes += bytes;
      return;
    }
    this.#sweep();
    this.#readers.set(reader, { bytes, since: this.runtime.monotonic() });
  }

  #isOver({ since }: Spending): boolean {
    return this.runtime.monotonic() - since >= MINUTE;
  }

  /** Forgets the past minutes, that of the reader who begins a new one among them. */
  #sweep(): void {
    for (const [reader, spending] of this.#readers) {
      if (!this.#isOver(spending)) return;
      this.#readers.delete(reader);
    }
  }
}

/** A user has one budget over all its connections; the two kinds of names cannot be confused. */
function readerOf({ user, clientId }: ClientSession): string {
  return user ? `user ${user.userId}` : `client ${clientId}`;
}
