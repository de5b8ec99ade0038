import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { Client } from './client.js';
import { inParallel } from './in-parallel.js';

const IN_FLIGHT = 64;
const QUIET_MILLISECONDS = 200;

/** The clients of one server, what arrives at them all together, and who is told of it. */
export class Crowd {
  clients = [];
  #bytes = 0;
  #bytesOfTurn = Infinity;
  #pace = null;

  async open(target, count) {
    await inParallel(IN_FLIGHT, count, async () => {
      const client = await greetedClient(target);
      client.receive = this.#count;
      this.clients.push(client);
    });
  }

  /**
   * Opens and closes connections until the time is over.
   *
   * @param tokens what they bring, one after the other; nothing by default
   */
  async churn(target, milliseconds, tokens = [undefined]) {
    const end = performance.now() + milliseconds;
    let accepted = 0;
    await inParallel(IN_FLIGHT, Infinity, async (index) => {
      const client = await greetedClient({ ...target, token: tokens[index % tokens.length] });
      accepted++;
      await client.close();
      return performance.now() < end;
    });
    return accepted;
  }

  async close() {
    await Promise.all(this.clients.map((client) => client.close()));
    this.clients = [];
  }

  /** Resolves with the bytes that came since the last call, as soon as nothing comes any more. */
  async bytesUntilQuiet() {
    let before;
    do {
      before = this.#bytes;
      await setTimeout(QUIET_MILLISECONDS);
    } while (this.#bytes === 0 || this.#bytes !== before);
    this.#bytes = 0;
    return before;
  }

  /** Resolves once nothing comes any more; what came is forgotten. */
  async quiet() {
    let before;
    do {
      before = this.#bytes;
      await setTimeout(QUIET_MILLISECONDS);
    } while (this.#bytes !== before);
    this.#bytes = 0;
  }

  /** From now on the server is told whenever so many bytes have come; never, with null. */
  expect(pacePort, bytesOfTurn) {
    this.#pace ??= connect({ port: pacePort, host: '127.0.0.1', noDelay: true });
    this.#bytesOfTurn = bytesOfTurn ?? Infinity;
  }

  #count = (_buffer, length) => {
    this.#bytes += length;
    if (this.#bytes < this.#bytesOfTurn) return;
    this.#bytes -= this.#bytesOfTurn;
    this.#pace.write('.');
  };
}

function greetedClient(target) {
  return new Promise((resolve) => {
    const client = new Client(target, () => resolve(client));
  });
}
