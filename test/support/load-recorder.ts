import type { LoadData } from './send-load.js';
import type { Received, TestClient } from './test-client.js';

/** A message of a load as a client got it. */
export interface Arrival extends LoadData {
  /** ms since 1970 */
  readonly at: number;
}

/** Writes down which messages of a load a client gets, and when. */
export class LoadRecorder {
  readonly arrivals: Arrival[] = [];

  constructor(client: TestClient) {
    client.socket.on('message', (text: Buffer) => {
      const { type, data } = JSON.parse(text.toString()) as Received;
      if (type === 'load') this.arrivals.push({ ...(data as LoadData), at: Date.now() });
    });
  }

  get numbers(): number[] {
    return this.arrivals.map(({ number }) => number);
  }
}
