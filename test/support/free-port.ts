import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports below those that systems give to outgoing connections, of which tests open thousands: one may be needed again. */
const [FIRST, COUNT] = [12_000, 20_000];
const ATTEMPTS = 20;

/** A port that was free a moment ago, and that no outgoing connection takes. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = FIRST + Math.floor(COUNT * Math.random());
    const server = createServer();
    try {
      await once(server.listen(port), 'listening');
      await new Promise((resolve) => server.close(resolve));
      return port;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}
