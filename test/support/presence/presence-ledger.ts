import { GRACE } from './presence-rules.js';

/**
 * Milliseconds in which all workers hear of something. A return that comes so short before the end of the grace may come too late
 * for the others; and who leaves so soon after another client of its member has come may be heard of before that one.
 */
const SLACK = 500;

/** How a member's presence in a room stands, as far as that is sure. */
interface Account {
  /** Clients that are in the room for sure. */
  present: number;
  /** When a client has come last. */
  enteredAt: number;
  /** Until when it stays for sure, without any client. */
  heldUntil: number;
  /** How often it may have been gone since the last quiet point. */
  gaps: number;
  isGone: boolean;
}

/** When each member of one room may have been gone: only then others may be told that it has left. */
export class PresenceLedger {
  readonly #accounts = new Map<string, Account>();

  entered(key: string): void {
    const account = this.#accountOf(key);
    this.#look(account);
    account.present++;
    // It may have taken the place of the one that was lost.
    account.heldUntil = 0;
    account.enteredAt = performance.now();
    account.isGone = false;
  }

  exited(key: string, how: 'left' | 'lost'): void {
    const account = this.#accountOf(key);
    account.present--;
    if (how === 'left' && account.present > 0 && performance.now() - account.enteredAt < SLACK) account.gaps++;
    if (how === 'lost') account.heldUntil = Math.max(account.heldUntil, performance.now() + GRACE - SLACK);
    this.#look(account);
  }

  /** It may have been there, and gone again. */
  doubted(key: string): void {
    this.#accountOf(key).gaps++;
  }

  /** How often others may have been told that a member has left, since the last quiet point. */
  gapsOf(key: string): number {
    const account = this.#accountOf(key);
    this.#look(account);
    return account.gaps;
  }

  /** A quiet point: everybody knows everything. */
  rest(): void {
    for (const account of this.#accounts.values()) account.gaps = 0;
  }

  #look(account: Account): void {
    if (account.present > 0 || account.isGone || performance.now() < account.heldUntil) return;
    account.isGone = true;
    account.gaps++;
  }

  #accountOf(key: string): Account {
    let account = this.#accounts.get(key);
    if (!account)
      this.#accounts.set(key, (account = { present: 0, enteredAt: 0, heldUntil: 0, gaps: 0, isGone: true }));
    return account;
  }
}
