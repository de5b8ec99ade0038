import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { ClientRuntime } from '../../lib/client/options/client-runtime.js';
import { WebSocketClient, type ClientState } from '../../lib/client/index.js';
import { isSoak } from '../support/cluster-periods.js';
import { ChildProgram } from '../support/child-program.js';

const CROWD = 500;
const DELAY = 4_000;
const SLOTS = 8;
const clients: WebSocketClient[] = [];
const programs: ChildProgram[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const program of programs.splice(0)) {
    program.signal('SIGKILL');
    await program.exited;
  }
});

async function startServer(port = 0): Promise<{ program: ChildProgram; port: number }> {
  const program = new ChildProgram('plain-server', String(port), 'patient');
  programs.push(program);
  return { program, ...(await program.next<{ port: number }>()) };
}

/** Resolves when all clients have heard of a state that fits. */
async function allReach(fits: (state: ClientState) => boolean): Promise<void> {
  await Promise.all(
    clients.map((client) => new Promise<void>((resolve) => client.onState(({ state }) => fits(state) && resolve()))),
  );
}

/** How many times as full as it had to be the fullest eighth of the longest wait is, from when the server is back. */
async function crushOfReturn(runtime: ClientRuntime): Promise<number> {
  const { program, port } = await startServer();
  /** When clients meant to make the attempt that succeeded: on a busy machine many may be a little late together. */
  const returns: number[] = [];
  for (let number = 0; number < CROWD; number++) {
    const reconnect = { minDelay: DELAY, maxDelay: DELAY };
    let meant = 0;
    const events = { onReconnected: (): void => void returns.push(meant) };
    const options = { url: `ws://127.0.0.1:${port}/ws`, webSocket: WebSocket, events, reconnect };
    const client = new WebSocketClient(options, runtime);
    client.onState((change) => {
      if (change.state === 'reconnecting') meant = performance.now() + change.delay;
    });
    clients.push(client);
  }
  await Promise.all(clients.map((client) => client.connect()));
  const lost = allReach((state) => state !== 'connected');
  const back = allReach((state) => state === 'connected');
  program.signal('SIGKILL');
  await lost;
  // On a busy machine the heartbeat of the server has sent somebody away before.
  returns.length = 0;
  await startServer(port);
  const backAt = performance.now();
  await back;
  expect(returns).toHaveLength(CROWD);
  const slots = new Map<number, number>();
  for (const at of returns) {
    const slot = Math.floor(((at - backAt) * SLOTS) / DELAY);
    slots.set(slot, (slots.get(slot) ?? 0) + 1);
  }
  return Math.max(...slots.values()) / (CROWD / SLOTS);
}

class NoChance extends ClientRuntime {
  override random(): number {
    return 0.5;
  }
}

describe('500 clients of a server that was killed', () => {
  it('come back spread over the longest wait: no eighth of it is twice as full as it had to be', async () => {
    expect(await crushOfReturn(new ClientRuntime())).toBeLessThan(2);
  }, 60_000);

  (isSoak ? it : it.skip)(
    'would come back nearly at once without chance',
    async () => {
      expect(await crushOfReturn(new NoChance())).toBeGreaterThan(2);
    },
    60_000,
  );
});
