import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { freePort } from '../free-port.js';
import { RawClient } from '../raw-client.js';
import { claimsOf, hs256 } from '../tokens.js';
import { upgradeStatus } from '../upgrade-answer.js';
import type { Check } from './suite-place.js';

const SECRET = 'a secret that nobody outside of the tests knows';
const CLOSE = 8;

/** Routes, rooms, who is let in, and what is refused. */
export const MESSAGE_CHECKS: Record<string, Check> = {
  async 'requests are answered or refused, in both envelopes, on Express and on Fastify'(place) {
    for (const isFastify of [false, true]) {
      const server = isFastify ? await place.start({ isFastify }) : await place.shared();
      for (const protocols of [['pxl.v1'], ['event.v1']]) {
        const client = await server.client('/ws', { protocols });
        for (const data of ['Grüße 🎈', 'ä'.repeat(30_000), { a: [null, 1.5] }]) {
          assert.deepEqual(await client.request('suite', 'echo', data), data);
        }
        await assert.rejects(client.request('suite', 'fail'), { code: 'TEAPOT' });
        await assert.rejects(client.request('suite', 'nothing'), { code: 'UNKNOWN_ROUTE' });
      }
      const response = await server.fetch('/echo', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"a":1}',
      });
      assert.deepEqual([response.status, await response.json()], [201, { a: 1 }]);
      assert.equal((await server.fetch('/ws')).status, 426);
    }
  },

  async 'streams give each value, and a call of the server is answered'(place) {
    const client = await (await place.shared()).client();
    client.send({ type: 'suite', action: 'stream', id: 1 });
    for (const response of [1, 2, 3]) assert.equal((await client.next('suite', 'stream')).response, response);
    assert.equal((await client.next('suite', 'stream')).done, true);
    client.send({ type: 'suite', action: 'call', id: 2 });
    client.answer(await client.next('suite', 'question'), 42);
    assert.equal((await client.next('suite', 'call')).response, 42);
  },

  async 'a room gets each message once, in order; who has left gets none'(place) {
    const server = await place.shared();
    const [ada, bo, cy] = await Promise.all([server.client(), server.client(), server.client()]);
    for (const client of [ada, bo, cy]) await client.join('tea');
    await cy.request('system', 'leaveRoom', { roomName: 'tea' });
    await cy.next('user', 'leftRoom');
    await ada.request('suite', 'flood', { room: 'tea', count: 500, bytes: 100 });
    for (const client of [ada, bo]) {
      for (let n = 0; n < 500; n++) {
        const { data, room } = await client.next('flood');
        assert.deepEqual([(data as { n: number }).n, room], [n, 'tea']);
      }
    }
    await cy.expectNothing(50);
  },

  async 'bytes and large messages come whole'(place) {
    const client = await (await place.shared()).client();
    const bytes = new Promise<Buffer>((resolve) => {
      client.socket.on('message', (data: Buffer, isBinary) => isBinary && resolve(data));
    });
    await client.request('suite', 'bytes', 3_000_000);
    assert.deepEqual(await bytes, Buffer.alloc(3_000_000, 'b'));
    await client.join('large');
    await client.request('suite', 'flood', { room: 'large', count: 2, bytes: 3_000_000 });
    const { data } = await client.next('flood');
    assert.equal((data as { text: string }).text.length, 3_000_000);
  },

  async 'permessage-deflate is agreed on, both ways'(place) {
    const server = await place.shared();
    const client = await server.client('/ws', { perMessageDeflate: { threshold: 0 } });
    assert.match(client.socket.extensions, /permessage-deflate/);
    await client.join('deflated');
    const flood = client.request('suite', 'flood', { room: 'deflated', count: 200, bytes: 20_000 });
    for (let n = 0; n < 200; n++) assert.equal(((await client.next('flood')).data as { n: number }).n, n);
    await flood;
    const noise = randomBytes(20_000).toString('base64');
    assert.equal(await client.request('suite', 'echo', noise), noise);
  },

  async 'a JSON Web Token lets in, a bad one is 401'(place) {
    const server = await place.shared();
    const [good, expired, forged] = [
      hs256(claimsOf('ada'), SECRET),
      hs256({ ...claimsOf('ada'), exp: 1_000 }, SECRET),
      hs256(claimsOf('ada'), 'another'),
    ];
    assert.equal((await server.client('/jwt', { token: good })).userId, 'ada');
    assert.equal((await server.client('/jwt', { protocols: ['pxl.v1', `bearer.${good}`] })).userId, 'ada');
    assert.equal((await server.client(`/jwt?token=${good}`)).userId, 'ada');
    for (const token of [expired, forged]) {
      assert.equal(await upgradeStatus(server.port, { Authorization: `Bearer ${token}` }, '/jwt'), 401);
      const refused = await server.open(`/jwt?token=${token}`, ['pxl.v1', 'pxl.refusals']);
      assert.equal((await refused.closed).code, 4003);
    }
  },

  async 'the first message may authenticate; without one it is 4001'(place) {
    const server = await place.shared();
    const ada = await server.open('/message');
    await assert.rejects(ada.request('suite', 'whoami'), { code: 'UNAUTHENTICATED' });
    ada.send({ type: 'system', action: 'authenticate', data: { token: 'ada' } });
    await ada.welcomed();
    assert.equal(ada.userId, 'ada');
    const wrong = await server.open('/message');
    wrong.send({ type: 'system', action: 'authenticate', data: { token: 'refused' } });
    assert.equal((await wrong.closed).code, 4003);
    assert.equal((await (await server.open('/message')).closed).code, 4001);
  },

  async 'pages of other origins, other paths and other methods are refused'(place) {
    const { port } = await place.shared();
    assert.equal(await upgradeStatus(port, { Origin: 'http://elsewhere.example' }), 403);
    assert.equal(await upgradeStatus(port, {}, '/elsewhere'), 404);
    assert.equal(await upgradeStatus(port, { 'Sec-WebSocket-Protocol': 'chess' }), 400);
    assert.equal(await upgradeStatus(port, { 'Sec-WebSocket-Version': '12' }), 426);
  },

  async 'limits: 1009, RATE_LIMITED, and frames that are none are 1002'(place) {
    const server = await place.shared();
    const large = await server.client('/strict');
    large.send({ type: 'suite', action: 'echo', data: 'x'.repeat(2_000) });
    assert.equal((await large.closed).code, 1009);
    const fast = await server.client('/strict');
    // Some more, since the count goes down meanwhile.
    for (let n = 0; n < 100; n++) fast.send({ type: 'suite', action: 'echo', data: n, id: n });
    assert.equal(((await fast.next('error')).data as { code: string }).code, 'RATE_LIMITED');
    const raw = await RawClient.open(server.port);
    raw.writeFrame({ opcode: 1, payload: 'unmasked', masked: false });
    const { opcode, payload } = await raw.frame();
    assert.deepEqual([opcode, payload.readUInt16BE()], [CLOSE, 1002]);
    await raw.ended;
  },

  async 'a gateway has a port of its own'(place) {
    const ownPort = await freePort();
    const server = await place.start({ ownPort });
    const client = await server.client('/own', {}, ownPort);
    assert.equal(await client.request('own', 'user'), 'nobody');
  },
};
