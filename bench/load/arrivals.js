import { connect } from 'node:net';
import { microseconds } from '../lib/clock.js';
import { percentilesOf } from '../lib/percentiles.js';
import { StampReader } from './stamp-reader.js';

/** How long stamped messages are under way to some clients; the server is told when all have come. */
export class Arrivals {
  #pace;
  #delays = new Float64Array(0);
  #count = 0;

  constructor(clients, pacePort) {
    this.#pace = connect({ port: pacePort, host: '127.0.0.1', noDelay: true });
    for (const client of clients) {
      const reader = new StampReader();
      client.receive = (buffer, length) => {
        const now = microseconds();
        reader.read(buffer, length, (stamp) => this.#arrived(now - stamp));
      };
    }
  }

  /** Forgets what has come; so many messages follow, counted at each client. */
  expect(messages) {
    this.#delays = new Float64Array(messages);
    this.#count = 0;
  }

  /** In milliseconds. */
  delays() {
    if (this.#count !== this.#delays.length) throw new Error(`${this.#count} of ${this.#delays.length} messages came.`);
    const { p50, p99, max } = percentilesOf(this.#delays);
    return { p50: p50 / 1000, p99: p99 / 1000, max: max / 1000 };
  }

  #arrived(delay) {
    this.#delays[this.#count++] = delay;
    if (this.#count === this.#delays.length) this.#pace.write('.');
  }
}
