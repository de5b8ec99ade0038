import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { Line } from './line.js';

const built = process.env.PXL_DIST
  ? new URL('client/index.js', `file://${process.env.PXL_DIST}`)
  : new URL('../../dist/client/index.js', import.meta.url);
const { WebSocketClient } = await import(built);

/** How a client is made by each library, with its defaults; resolves once it is in the room. */
const LIBRARIES = {
  async pxl(port, traveller) {
    const client = new WebSocketClient({
      url: `ws://127.0.0.1:${port}/ws`,
      webSocket: WebSocket,
      events: {
        onError: () => undefined,
        onConnected: () => traveller.connected(),
        onRecovered: ({ recovered }) => recovered || traveller.isTold(),
      },
    });
    client.on('bench', 'message', (text) => traveller.take(text));
    await client.connect();
    await client.join('room');
  },

  async 'socket-io'(port, traveller) {
    const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true });
    socket.on('connect', () => traveller.connected());
    socket.on('message', (text) => traveller.take(text));
    await new Promise((resolve) => socket.once('connect', resolve));
  },
};

/** A client as applications have it, whose network goes and comes back. */
export class Traveller {
  /** When each message came for the first time, ms since 1970, by its number. */
  arrivals = new Map();
  duplicates = 0;
  /** How many came behind a later one. */
  disorder = 0;
  /** When it was told that something is lost. */
  told = [];
  /** When its network went, and when it came back. */
  absences = [];
  /** When it was connected. */
  connections = [];
  #last = -1;
  #line;

  static async to(port, library) {
    const traveller = new Traveller();
    traveller.#line = await Line.to(port);
    await LIBRARIES[library](traveller.#line.port, traveller);
    return traveller;
  }

  cut() {
    this.absences.push({ from: Date.now(), until: Infinity });
    this.#line.cut();
  }

  mend() {
    this.absences.at(-1).until = Date.now();
    this.#line.mend();
  }

  /** Whether it has been connected since its last absence. */
  get isBack() {
    return this.connections.at(-1) >= (this.absences.at(-1)?.from ?? 0);
  }

  connected() {
    this.connections.push(Date.now());
  }

  isTold() {
    this.told.push(Date.now());
  }

  take(text) {
    const number = Number(text.split(' ', 1)[0]);
    if (this.arrivals.has(number)) this.duplicates++;
    else if (number < this.#last) this.disorder++;
    else this.#last = number;
    if (!this.arrivals.has(number)) this.arrivals.set(number, Date.now());
  }
}
