import assert from 'node:assert/strict';
import { upgradeAnswer } from '../upgrade-answer.js';
import type { Check } from './suite-place.js';

const GOING_AWAY = { code: 1001, reason: 'server is shutting down' };
/** A process that a signal has ended says so itself, or by its exit code. */
const PEACEFUL: unknown[] = ['SIGTERM', 143, 0];

/** How a server ends. */
export const END_CHECKS: Record<string, Check> = {
  async 'SIGTERM lets handlers answer, closes with 1001, and ends the process'(place) {
    const server = await place.start();
    const [busy, idle, compressed, stranger] = await Promise.all([
      server.client(),
      server.client('/strict'),
      server.client('/ws', { perMessageDeflate: true }),
      server.open('/message'),
    ]);
    // A connection that is kept alive, as browsers do.
    assert.equal(await (await server.fetch('/clients')).text(), '3');
    await busy.join('tea');
    const answer = busy.request('suite', 'wait', 400);
    await busy.next('news', 'waiting');
    const ended = server.stop();
    assert.equal(await answer, 'waited');
    for (const { closed } of [busy, idle, compressed, stranger]) assert.deepEqual(await closed, GOING_AWAY);
    const begin = performance.now();
    assert.ok(PEACEFUL.includes(await ended), `It ended with ${await ended}.`);
    assert.ok(performance.now() - begin < 2_000, 'The process has lived on.');
  },

  async 'new upgrades are refused with 503 while it drains'(place) {
    const server = await place.start();
    const busy = await server.client();
    const answer = busy.request('suite', 'wait', 1_000);
    await busy.next('news', 'waiting');
    const ended = server.stop();
    const statuses: unknown[] = [];
    // Until the signal has come through it is accepted as ever.
    while (!statuses.includes(503)) {
      const { status } = await upgradeAnswer(server.port);
      statuses.push(status);
      assert.ok([101, 503].includes(status), `An upgrade was answered with ${status}.`);
    }
    assert.equal(await answer, 'waited');
    assert.ok(PEACEFUL.includes(await ended));
  },

  async 'a client that does not read cannot keep it from ending'(place) {
    const server = await place.start({
      options: { shutdown: { timeout: 1_000 }, limits: { slowConsumerGrace: 60_000 } },
    });
    const [stuck, other] = [await server.client(), await server.client()];
    await stuck.join('tea');
    stuck.socket.pause();
    await other.request('suite', 'flood', { room: 'tea', count: 600, bytes: 10_240 });
    const begin = performance.now();
    assert.ok(PEACEFUL.includes(await server.stop()));
    assert.ok(performance.now() - begin < 4_000, 'It took too long.');
  },
};
