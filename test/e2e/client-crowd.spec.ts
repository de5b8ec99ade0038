import { afterEach, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { WebSocketClient } from '../../lib/client/index.js';
import { ChildProgram } from '../support/child-program.js';

const CROWD = 500;
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
  const program = new ChildProgram('plain-server', String(port));
  programs.push(program);
  return { program, ...(await program.next<{ port: number }>()) };
}

it('500 clients of a server that was killed come back spread: no second has more than three times the mean', async () => {
  const { program, port } = await startServer();
  const returns: number[] = [];
  for (let number = 0; number < CROWD; number++) {
    const onReconnected = (): void => void returns.push(performance.now());
    const url = `ws://127.0.0.1:${port}/ws`;
    clients.push(new WebSocketClient({ url, webSocket: WebSocket, events: { onReconnected } }));
  }
  await Promise.all(clients.map((client) => client.connect()));
  const lost = Promise.all(
    clients.map(
      (client) => new Promise<void>((resolve) => client.onState(({ state }) => state !== 'connected' && resolve())),
    ),
  );
  const back = Promise.all(
    clients.map(
      (client) => new Promise<void>((resolve) => client.onState(({ state }) => state === 'connected' && resolve())),
    ),
  );
  program.signal('SIGKILL');
  await lost;
  await startServer(port);
  await back;

  expect(returns).toHaveLength(CROWD);
  const seconds = new Map<number, number>();
  for (const at of returns) {
    const second = Math.floor((at - returns[0]!) / 1_000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  const span = Math.floor((returns.at(-1)! - returns[0]!) / 1_000) + 1;
  expect(Math.max(...seconds.values())).toBeLessThanOrEqual((3 * CROWD) / span);
}, 60_000);
