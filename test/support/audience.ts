import { expect } from '@jest/globals';
import type { Received, TestClient } from './test-client.js';
import type { WorkerProcess } from './worker-process.js';

const FENCE = { type: 'test', action: 'fence' };

/** What a client is told that was taken out of a room: no message of the test. */
export function isRemoval({ type, action, event }: Received): boolean {
  return (type === 'room' && action === 'left') || event === 'room:left';
}

/** The clients of a test by their names. */
export class Audience {
  readonly #clients: ReadonlyMap<string, TestClient>;

  constructor(clients: Readonly<Record<string, TestClient>> | ReadonlyMap<string, TestClient>) {
    this.#clients = clients instanceof Map ? clients : new Map(Object.entries(clients));
  }

  /** The ids of clients. */
  ids(...names: string[]): string[] {
    return names.map((name) => this.#clients.get(name)!.clientId);
  }

  /**
   * Fails unless exactly the named clients have received exactly this message, once. What was sent by a worker comes in
   * order: one more message of its behind it shows that nothing else is on its way.
   */
  async expectReached(sender: WorkerProcess, names: readonly string[], message: unknown): Promise<void> {
    await sender.run(({ service }, fence) => service.broadcast(fence), FENCE);
    const received: [name: string, messages: unknown[]][] = [];
    for (const [name, client] of this.#clients) {
      await client.take(({ action }) => action === FENCE.action);
      const taken = [];
      while (client.pending.length > 0) {
        const next = await client.next();
        if (!isRemoval(next)) taken.push(next);
      }
      if (taken.length > 0) received.push([name, taken]);
    }
    const expected = [...this.#clients.keys()].filter((name) => names.includes(name)).map((name) => [name, [message]]);
    expect(received).toEqual(expected);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
  }
}
