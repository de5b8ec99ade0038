import { afterEach, describe, expect, it } from '@jest/globals';
import { ScriptedServer, type ScriptedConnection } from '../support/scripted-server.js';
import { testsClients } from '../support/test-clients.js';
import { until } from '../support/until.js';

const newClient = testsClients();
let server: ScriptedServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const JUNK: unknown[] = [
  '',
  '{',
  'hello',
  'null',
  '0',
  'true',
  '"text"',
  '[]',
  '{}',
  '[[[[]]]]',
  { type: 1, action: 2 },
  { type: 'a' },
  { type: 'unknown', action: 'unknown' },
  { type: 'error', action: 'message' },
  { type: 'error', action: 'message', data: 7 },
  { type: 'error', action: 'message', id: 77, data: { error: 1, code: {}, retryable: 'yes' } },
  { type: 'error', action: 'message', id: { a: 1 }, data: null },
  { type: 'system', action: 'connected' },
  { type: 'system', action: 'connected', data: { clientId: 'another' } },
  { type: 'system', action: 'encrypted', data: 'x' },
  { type: 'system', action: 'authenticate', id: 0, response: {} },
  { type: 'auth', action: 'expiring' },
  { type: 'a', action: 'b', id: 'never asked', response: 1 },
  { type: 'a', action: 'b', id: 99, done: true },
  { type: 'a', action: 'b', response: null },
  { type: '__proto__', action: 'constructor' },
  { event: '__proto__' },
  { event: 'constructor', data: 1 },
  { event: ':' },
  { type: 'nobody', action: 'handles', callId: 1 },
  { type: 'nobody', action: 'handles', callId: 1e308 },
  `{"type":"deep","action":"deep","data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
];

function rave(connection: ScriptedConnection): void {
  for (const frame of JUNK) connection.send(frame);
  connection.socket.send(Buffer.from([0xde, 0xad, 0xbe, 0xef]));
  connection.socket.send(Buffer.alloc(0));
}

describe.each(['pxl', 'event'] as const)('a client of %s', (protocol) => {
  const welcome = (connection: ScriptedConnection): void => {
    if (protocol === 'pxl') connection.welcome();
    else connection.send({ event: 'connected', data: { id: 'c', time: 1, heartbeat: null } });
  };

  it('outlives whatever its server says, before the welcome and after it', async () => {
    server = await ScriptedServer.start((connection) => {
      // Up to here nothing that is a welcome: the junk that looks like one comes behind it.
      for (const frame of ['', '{', 'null', '[]', { type: 'a', action: 'b' }, { event: 'x' }]) connection.send(frame);
      welcome(connection);
      rave(connection);
    });
    const { client, states } = newClient(server.url, { protocol });
    await client.connect();
    expect(client.clientId).toBe('c');
    const connection = await server.next();
    const request = client.request('still', 'there');
    const asked = await connection.next(protocol === 'pxl' ? 'there' : 'still:there');
    connection.send(
      protocol === 'pxl'
        ? { type: 'still', action: 'there', id: asked.id, response: 'yes' }
        : { event: 'still:there', id: asked.id, data: 'yes' },
    );
    expect(await request).toBe('yes');
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('is told of frames that are none', async () => {
    server = await ScriptedServer.start(welcome);
    const { client, errors } = newClient(server.url, { protocol });
    await client.connect();
    (await server.next()).send('{');
    await until(() => errors.length === 1);
    expect(errors[0]).toMatchObject({ code: 'BAD_MESSAGE', message: 'The message has no JSON form.' });
  });

  it('takes a message of 10 MB, and 10 MB of junk', async () => {
    server = await ScriptedServer.start(welcome);
    const { client, errors, states } = newClient(server.url, { protocol });
    await client.connect();
    const connection = await server.next();
    const data = 'x'.repeat(10 * 1_048_576);
    const heard = new Promise<unknown>((resolve) => client.on('big', 'message', resolve));
    connection.send(data);
    connection.send(protocol === 'pxl' ? { type: 'big', action: 'message', data } : { event: 'big:message', data });
    expect((await heard) === data).toBe(true);
    expect([errors.length, states]).toEqual([1, ['connecting', 'connected']]);
  });
});

it('a server that welcomes nobody but keeps the connection open is given up', async () => {
  server = await ScriptedServer.start((connection) => {
    for (const frame of ['{', 'null', { type: 'system', action: 'connected?' }]) connection.send(frame);
  });
  const { client, states } = newClient(server.url, { connectTimeout: 50, reconnect: false });
  await expect(client.connect()).rejects.toMatchObject({ code: 'TIMEOUT' });
  expect(states).toEqual(['connecting', 'disconnected:1006']);
});
