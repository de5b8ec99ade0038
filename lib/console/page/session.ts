import { WebSocketClient, type StateChange, type Unsubscribe } from '../../client/index.js';
import type { ConsoleAbout, ConsoleContract } from '../console-contract.js';
import { Live } from './live.js';

/** The wait before what has failed for a moment is asked again, ms. */
const AGAIN = 2_000;

/** The connection of the page: what it may do, what it sees, and how it stands. */
export class ConsoleSession {
  readonly client = new WebSocketClient<ConsoleContract>({
    url: new URL('socket', location.href),
    reconnect: { minDelay: 500, maxDelay: 10_000 },
    // A question that waited for a connection would be answered when nobody asks it any more.
    queue: false,
  });
  readonly live = new Live();
  /** What holds for this page; undefined before the first connection, kept while there is none. */
  about: ConsoleAbout | undefined;
  /** When the next attempt to connect will be made, ms since 1970. */
  nextAttempt: number | undefined;
  readonly #listeners = new Set<() => void>();

  /** @param listener called when the connection is ready, lost or refused */
  onChange(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.client.onState((change) => this.#changed(change));
    this.client.on('live', 'sample', (sample) => this.live.take(sample));
    document.addEventListener('visibilitychange', () => this.#look());
    this.connect();
  }

  /** Connects; at once, where the client waits for its next attempt. */
  connect(): void {
    // How it ends is a change of the state.
    this.client.connect().catch(() => undefined);
  }

  get isReady(): boolean {
    return this.client.state === 'connected' && this.about !== undefined;
  }

  #changed(change: StateChange): void {
    this.nextAttempt = 'delay' in change ? Date.now() + change.delay : undefined;
    this.live.interrupt();
    if (change.state === 'connected') void this.#greet();
    this.#tell();
  }

  async #greet(): Promise<void> {
    try {
      this.about = await this.client.request('console', 'about');
    } catch {
      setTimeout(() => {
        if (this.client.state === 'connected') void this.#greet();
      }, AGAIN);
      return;
    }
    this.#look();
    this.#tell();
  }

  /** Nobody looks at a hidden page: its workers need not tell it anything. */
  #look(): void {
    if (!this.isReady) return;
    if (document.hidden) this.client.send('live', 'unwatch');
    else {
      this.client.request('live', 'watch').then(
        (known) => this.live.begin(known),
        () => setTimeout(() => this.#look(), AGAIN),
      );
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
