import assert from 'node:assert/strict';
import process from 'node:process';

/*
 * What the client promises, on whatever runs this: Node, Bun, Deno. Against a server of `suite-server.ts`, with the
 * runtime's own WebSocket where it has one. Writes a line of JSON for each check, and ends with 1 when one has failed.
 *
 *   <runtime> client-suite.mjs <ws url of the server> <url of the entry ./client> <url of ./client/encryption>
 */

const [, , server, clientEntry, encryptionEntry] = process.argv;
const { WebSocketClient } = await import(clientEntry);
const { webCryptoEncryption } = await import(encryptionEntry);
/** Node 20 has none of its own. */
const webSocket = globalThis.WebSocket ?? (await import('ws')).WebSocket;

/** How long each check has, ms. */
const PATIENCE = 15_000;

const clients = [];

function create(options = {}, path = '/ws') {
  const client = new WebSocketClient({
    url: `${server}${path}`,
    webSocket,
    reconnect: { minDelay: 20, maxDelay: 100 },
    ...options,
    events: { onError: () => undefined, ...options.events },
  });
  clients.push(client);
  return client;
}

async function connected(options, path) {
  const client = create(options, path);
  await client.connect();
  return client;
}

/** Resolves with the next change of the state that fits. */
function change(client, fits) {
  return new Promise((resolve) => {
    const stop = client.onState((event) => {
      if (!fits(event)) return;
      stop();
      resolve(event);
    });
  });
}

const isState = (state) => (event) => event.state === state;

/** Resolves with the next push of that name: its data, and the message whole. */
function push(client, type, action) {
  return new Promise((resolve) => {
    const stop = client.on(type, action, (data, message) => {
      stop();
      resolve({ data, message });
    });
  });
}

const isCode = (code) => (error) => error.code === code;
const text = (bytes) => 'ä'.repeat(bytes / 2);

const checks = {
  async 'connect() resolves with the welcome'() {
    const welcome = await create().connect();
    assert.match(welcome.clientId, /./);
    assert.equal(welcome.userId, undefined);
    assert.equal(welcome.limits.maxPayload, 65_536);
    assert.equal(welcome.rooms.named, true);
    assert.equal((await create({ protocol: 'event' }).connect()).limits.rooms, 128);
  },

  async 'requests are answered or refused, in both envelopes'() {
    for (const protocol of ['pxl', 'event']) {
      const client = await connected({ protocol });
      assert.deepEqual(await client.request('suite', 'echo', { text: 'Grüße 🎈' }), { text: 'Grüße 🎈' });
      assert.equal((await client.request('suite', 'echo', text(60_000))).length, 30_000);
      await assert.rejects(client.request('suite', 'fail'), isCode('TEAPOT'));
      await assert.rejects(client.request('suite', 'nothing'), isCode('UNKNOWN_ROUTE'));
    }
  },

  async 'streams give each value, then end'() {
    const client = await connected();
    const values = [];
    for await (const value of client.stream('suite', 'stream')) values.push(value);
    assert.deepEqual(values, [1, 2, 3]);
  },

  async 'a call of the server is answered'() {
    const client = await connected();
    client.handle('suite', 'question', (number) => number * 7);
    assert.equal(await client.request('suite', 'call'), 42);
  },

  async 'pushes to a room come, and come again after the connection was cut'() {
    const client = await connected();
    await client.join('tea');
    const first = push(client, 'news', 'flash');
    await client.request('suite', 'push', { room: 'tea', text: 'one' });
    assert.equal((await first).data, 'one');
    const back = change(client, isState('connected'));
    client.send('suite', 'cut');
    await back;
    const second = push(client, 'news', 'flash');
    await client.request('suite', 'push', { room: 'tea', text: 'two' });
    assert.equal((await second).data, 'two');
    assert.deepEqual((await client.request('suite', 'whoami')).rooms, ['tea']);
  },

  async 'a lost connection is told as 1006'() {
    const client = await connected({ reconnect: false });
    const over = change(client, isState('disconnected'));
    client.send('suite', 'cut');
    assert.equal((await over).code, 1_006);
  },

  async 'requests wait for a connection that is on its way'() {
    const client = await connected();
    const lost = change(client, isState('reconnecting'));
    client.send('suite', 'cut');
    await lost;
    const answers = [1, 2, 3].map((number) => client.request('suite', 'echo', number));
    assert.deepEqual(await Promise.all(answers), [1, 2, 3]);
  },

  async 'close codes of the application: below 4500 it comes back, from there on it stops'() {
    const client = await connected();
    const [lost, back] = [change(client, isState('reconnecting')), change(client, isState('connected'))];
    client.send('suite', 'close', { code: 4_100, reason: 'for a while' });
    const { code, reason } = await lost;
    assert.deepEqual([code, reason], [4_100, 'for a while']);
    await back;
    const over = change(client, isState('disconnected'));
    client.send('suite', 'close', { code: 4_600, reason: 'for good' });
    assert.equal((await over).code, 4_600);
  },

  async 'the frames are encrypted where it was asked for'() {
    const client = await connected({ encryption: webCryptoEncryption() });
    assert.equal((await client.request('suite', 'whoami')).encrypted, true);
    await client.join('secret');
    const news = push(client, 'news', 'flash');
    await client.request('suite', 'push', { room: 'secret', text: 'psst' });
    assert.equal((await news).data, 'psst');
  },

  async 'a refused upgrade is a close code with its reason'() {
    const socket = new webSocket(`${server}/ws?token=refused`, ['pxl.v1', 'pxl.refusals']);
    const { code, reason } = await new Promise((resolve) => (socket.onclose = resolve));
    assert.deepEqual([code, JSON.parse(reason)], [4_003, { error: 'Unauthorized.' }]);
  },

  async 'a token that is refused for good ends the log-in, and connect() says so'() {
    let asked = 0;
    const client = create({ getToken: () => `refused${++asked}`, tokenPatience: 300 });
    await assert.rejects(client.connect(), isCode('UNAUTHENTICATED'));
    assert.equal(client.state, 'disconnected');
    assert.ok(asked > 0 && asked < 20, `getToken was asked ${asked} times`);
  },

  async 'another connect() is another user'() {
    let user = 'ada';
    const client = create({ getToken: () => user });
    assert.equal((await client.connect()).userId, 'ada');
    client.disconnect();
    user = 'bo';
    assert.equal((await client.connect()).userId, 'bo');
    assert.equal((await client.request('suite', 'whoami')).userId, 'bo');
  },

  async 'a message over the limit is refused by itself, in UTF-8, and all else goes on'() {
    for (const encryption of [undefined, webCryptoEncryption()]) {
      const client = await connected({ encryption, queue: { limit: 500 } }, '/strict');
      const other = client.request('suite', 'echo', 1);
      await assert.rejects(client.request('suite', 'echo', text(1_000)), isCode('BAD_MESSAGE'));
      assert.equal(await other, 1);
      assert.equal(client.state, 'connected');
    }
  },

  async 'the queue leaves and rooms are joined again within the announced rate'() {
    const refused = [];
    const events = { onError: ({ error }) => refused.push(error), onDropped: (message) => refused.push(message) };
    const client = create({ events }, '/strict');
    const rooms = Array.from({ length: 60 }, (_, at) => `room ${at}`);
    await client.connect();
    const lost = change(client, isState('reconnecting'));
    await Promise.all(rooms.slice(0, 10).map((room) => client.join(room)));
    client.send('suite', 'cut');
    await lost;
    const answers = await Promise.all(rooms.map((_, at) => client.request('suite', 'echo', at)));
    assert.equal(answers.length, 60);
    assert.equal((await client.request('suite', 'whoami')).rooms.length, 10);
    assert.deepEqual(refused, []);
  },

  async 'disconnect() ends it, and nothing waits any more'() {
    const client = await connected();
    const waiting = client.request('suite', 'echo', 1);
    client.disconnect();
    await assert.rejects(waiting, isCode('UNAVAILABLE'));
    assert.equal(client.state, 'disconnected');
  },
};

function inTime(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It took more than ${PATIENCE} ms.`)), PATIENCE);
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}

let failed = 0;
for (const [check, work] of Object.entries(checks)) {
  const error = await inTime(work).then(
    () => undefined,
    (reason) => String(reason?.stack ?? reason),
  );
  if (error !== undefined) failed++;
  process.stdout.write(`${JSON.stringify({ check, error })}\n`);
  for (const client of clients.splice(0)) client.destroy();
}
process.exitCode = failed === 0 ? 0 : 1;
