import { strict as assert } from 'node:assert';
import type { WsEnvelope } from '../../cluster/bus/envelope.js';
import type { BusTest } from './describe-broadcaster.js';

/** Which workers receive an envelope, and what arrives. */
export function describeDelivery(test: BusTest): void {
  test('for everybody reaches every other worker, once', 3, async (workers) => {
    for (const sender of workers) {
      await sender.publish({ kind: 'everybody' });
      await sender.expectHeardBy(...workers.filter((worker) => worker !== sender));
    }
  });

  test('for clients reaches the workers that their ids name, each once', 3, async ([sender, one, two]) => {
    await sender.publish({ kind: 'clients', clientIds: [one.clientId, one.clientId, sender.clientId, 'adopted'] });
    await sender.expectHeardBy(one);
    await sender.publish({ kind: 'clients', clientIds: [one.clientId, two.clientId] });
    await sender.expectHeardBy(one, two);
  });

  test("for the sender's own clients, and for ids that are none of ours, reaches nobody", 3, async ([sender]) => {
    await sender.publish({ kind: 'clients', clientIds: [sender.clientId, 'adopted', '', '*'] });
    await sender.expectHeardBy();
    await sender.publish({ kind: 'clients', clientIds: [] });
    await sender.expectHeardBy();
  });

  test('for workers reaches these', 3, async ([sender, one, two]) => {
    const workerIds = [two.workerId, two.workerId, sender.workerId, 'gone0000'];
    await sender.publish({ kind: 'workers', workerIds });
    await sender.expectHeardBy(two);
    await sender.publish({ kind: 'workers', workerIds: [one.workerId, two.workerId] });
    await sender.expectHeardBy(one, two);
  });

  test('for a room reaches the workers that have acquired it', 3, async ([sender, one, two]) => {
    await sender.broadcaster.acquireRoom('chess');
    await one.broadcaster.acquireRoom('chess');
    await two.broadcaster.acquireRoom('go');
    await sender.publish({ kind: 'rooms', roomNames: ['chess'] });
    await sender.expectHeardBy(one);
    await two.publish({ kind: 'rooms', roomNames: ['chess'] });
    await two.expectHeardBy(sender, one);
    await sender.publish({ kind: 'rooms', roomNames: ['nowhere'] });
    await sender.expectHeardBy();
  });

  test('for several rooms reaches a worker that has acquired some of them once', 3, async ([sender, one, two]) => {
    for (const room of ['chess', 'go', 'poker']) await one.broadcaster.acquireRoom(room);
    await two.broadcaster.acquireRoom('go');
    for (let round = 0; round < 20; round++) {
      await sender.publish({ kind: 'rooms', roomNames: ['chess', 'go', 'poker', 'chess', 'nowhere'] });
      await sender.expectHeardBy(one, two);
    }
  });

  test('for very many rooms or users reaches those that hear one of them, once', 2, async ([sender, one]) => {
    await one.broadcaster.acquireRoom('chess');
    await one.broadcaster.acquireUser('7');
    const names = Array.from({ length: 500 }, (_, at) => `other ${at}`);
    await sender.publish({ kind: 'rooms', roomNames: [...names, 'chess'] });
    await sender.expectHeardBy(one);
    await sender.publish({ kind: 'users', userIds: ['7', ...names] });
    await sender.expectHeardBy(one);
  });

  test(
    'for a user reaches the workers that have acquired it, and no room of its name',
    3,
    async ([sender, one, two]) => {
      await one.broadcaster.acquireUser('7');
      await two.broadcaster.acquireRoom('7');
      await sender.publish({ kind: 'users', userIds: ['7', '8'] });
      await sender.expectHeardBy(one);
      await sender.publish({ kind: 'rooms', roomNames: ['7'] });
      await sender.expectHeardBy(two);
    },
  );

  test('for the subscribers of a channel reaches those that hear it or all, once', 3, async ([sender, one, two]) => {
    await one.broadcaster.acquireEvents('orders');
    await one.broadcaster.acquireAllEvents();
    await two.broadcaster.acquireEvents('orders');
    await sender.publish({ kind: 'subscribers', channel: 'orders' }, { kind: 'event' });
    await sender.expectHeardBy(one, two);
    await sender.publish({ kind: 'subscribers', channel: 'other' }, { kind: 'event' });
    await sender.expectHeardBy(one);
  });

  test('arrives as it was sent, with the worker that sent it', 2, async ([sender, receiver]) => {
    await receiver.broadcaster.acquireRoom('chess');
    const envelope: WsEnvelope = {
      target: { kind: 'rooms', roomNames: ['chess', 'go'] },
      exclude: ['one', 'two'],
      isVolatile: true,
      content: { kind: 'command', text: '{"text":"a\\nb\n\r\u0000\u2028é🎲"}\n' },
    };
    await sender.broadcaster.publish(envelope);
    await receiver.hears(1);
    assert.deepEqual(receiver.heard, [{ ...envelope, origin: sender.workerId }]);
  });

  test('keeps which users, rooms and members it leaves out', 2, async ([sender, receiver]) => {
    await receiver.broadcaster.acquireRoom('chess');
    const content = { kind: 'message', text: '{}' } as const;
    const envelope: WsEnvelope = {
      target: { kind: 'rooms', roomNames: ['chess'] },
      exclude: [],
      excludeUsers: ['7', 'é'],
      excludeRooms: ['go'],
      where: ['near', { x: 1, y: [null, 'é'] }],
      isVolatile: false,
      content,
    };
    await sender.broadcaster.publish(envelope);
    await receiver.hears(1);
    assert.deepEqual(receiver.heard, [{ ...envelope, origin: sender.workerId }]);
  });

  test('may be of every kind', 2, async ([sender, receiver]) => {
    const kinds = ['message', 'event', 'command', 'call', 'answer'] as const;
    for (const kind of kinds) await sender.publish({ kind: 'everybody' }, { kind });
    await receiver.hears(kinds.length);
    assert.deepEqual(
      receiver.heard.map(({ content }) => content.kind),
      kinds,
    );
  });

  test('arrives whole when it is large', 2, async ([sender, receiver]) => {
    const text = JSON.stringify('x'.repeat(2 ** 20));
    await sender.publish({ kind: 'everybody' }, { text });
    await receiver.hears(1);
    assert.ok(receiver.heard.at(0)?.content.text === text);
  });

  test('by one worker to one target arrives in order', 2, async ([sender, receiver]) => {
    await receiver.broadcaster.acquireRoom('chess');
    const texts = Array.from({ length: 1_000 }, (_, at) => String(at));
    await Promise.all(texts.map((text) => sender.publish({ kind: 'rooms', roomNames: ['chess'] }, { text })));
    await receiver.hears(texts.length);
    assert.deepEqual(
      receiver.heard.map(({ content }) => content.text),
      texts,
    );
  });
}
