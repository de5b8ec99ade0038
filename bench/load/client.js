import { connect } from 'node:net';
import { FrameCounter } from './frame-counter.js';
import { maskedFrame } from './masked-frame.js';

/** Every socket reads into the same bytes: what a client has read it has used before another reads. */
const BUFFER = Buffer.allocUnsafe(65_536);
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/**
 * A WebSocket client that costs next to nothing: a TCP socket, the upgrade written by hand, no answers to anything.
 *
 * It is greeted when `target.greeting.messages` messages have come; the first of them is answered by
 * `target.greeting.answer` where the server expects one.
 */
export class Client {
  /** What is done with bytes once the client is greeted. */
  receive = () => undefined;
  #frames = new FrameCounter();
  #head = null;
  #greetings = 0;
  #target;
  #onGreeted;

  constructor(target, onGreeted) {
    this.#target = target;
    this.#onGreeted = onGreeted;
    const onread = { buffer: BUFFER, callback: (length, buffer) => this.#received(buffer, length) };
    this.socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true, onread });
    this.socket.on('error', (error) => this.#failed(error.message));
    this.socket.on('end', () => this.#failed('the server closed the connection'));
    this.socket.write(
      `GET ${target.path} HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `${target.token ? `Authorization: Bearer ${target.token}\r\n` : ''}` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    this.#head = Buffer.alloc(0);
  }

  /** How many messages end within these bytes. */
  count(buffer, length) {
    return this.#frames.count(buffer, 0, length);
  }

  close() {
    this.#onGreeted = null;
    this.receive = () => undefined;
    return new Promise((resolve) => this.socket.once('close', resolve).destroy());
  }

  #received(buffer, length) {
    if (this.#onGreeted) this.#greet(buffer, length);
    else this.receive(buffer, length);
  }

  #greet(buffer, length) {
    let from = 0;
    if (this.#head) {
      const before = this.#head.length;
      this.#head = Buffer.concat([this.#head, buffer.subarray(0, length)]);
      const end = this.#head.indexOf(END_OF_HEAD);
      if (end < 0) return;
      if (!this.#head.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) this.#failed(this.#head.toString());
      from = end + END_OF_HEAD.length - before;
      this.#head = null;
    }
    const { messages, answer } = this.#target.greeting;
    const isFirst = this.#greetings === 0;
    this.#greetings += this.#frames.count(buffer, from, length);
    if (isFirst && this.#greetings > 0 && answer) this.socket.write(maskedFrame(answer));
    if (this.#greetings < messages) return;
    const greeted = this.#onGreeted;
    this.#onGreeted = null;
    greeted();
  }

  #failed(why) {
    throw new Error(`${this.#target.path} on port ${this.#target.port}: ${why}`);
  }
}
