import { strict as assert } from 'node:assert';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import { eventually } from '../eventually.js';
import { timeOf } from '../stall-watch.js';
import type { BusTest } from './describe-broadcaster.js';

/** How long a publish may take at most, in ms; asserted at twice its value. */
const SETTLED = 1_200;

const UNAVAILABLE = { code: 'UNAVAILABLE', retryable: true };

/** The behaviour of a worker that is cut off from the others, for a bus whose tests can do that. */
export function describeCutOffWorkers(test: BusTest): void {
  test('says so, and refuses in time what it cannot do', 2, async ([cut], bus) => {
    const { broadcaster } = cut;
    const told: boolean[] = [];
    broadcaster.onChange((isReady) => told.push(isReady));
    const heal = await bus.cutOff?.(cut.worker);
    if (!heal) return;
    const publishing = await timeOf(() => assert.rejects(cut.publish({ kind: 'everybody' }), UNAVAILABLE));
    assert.ok(publishing < 2 * SETTLED, `A publish took ${publishing} ms.`);
    await eventually('it is not ready', () => !broadcaster.isReady);
    const acquiring = await timeOf(() => assert.rejects(async () => broadcaster.acquireRoom('new'), UNAVAILABLE));
    assert.ok(acquiring < SETTLED / 2, `An acquire took ${acquiring} ms.`);

    await heal();
    await eventually('it is ready', () => broadcaster.isReady);
    assert.deepEqual(told, [false, true]);
  });

  test('hears again what it heard, and delivers nothing that was rejected', 2, async ([cut, other], bus) => {
    const { broadcaster } = cut;
    await broadcaster.acquireRoom('chess');
    await broadcaster.acquireUser('7');
    await broadcaster.acquireEvents('orders');
    const heal = await bus.cutOff?.(cut.worker);
    if (!heal) return;
    await assert.rejects(cut.publish({ kind: 'everybody' }), UNAVAILABLE);
    await eventually('it is not ready', () => !broadcaster.isReady);
    await broadcaster.acquireUser('8');
    await assert.rejects(cut.publish({ kind: 'everybody' }), UNAVAILABLE);

    await heal();
    await eventually('it is ready', () => broadcaster.isReady);
    const targets: WsTarget[] = [
      { kind: 'rooms', roomNames: ['chess'] },
      { kind: 'users', userIds: ['7'] },
      { kind: 'users', userIds: ['8'] },
      { kind: 'subscribers', channel: 'orders' },
    ];
    for (const target of targets) {
      await other.publish(target);
      await other.expectHeardBy(cut);
    }
    await cut.publish({ kind: 'everybody' });
    await cut.expectHeardBy(other);
  });

  test('stops all the same', 2, async ([{ worker, broadcaster }], bus) => {
    const heal = await bus.cutOff?.(worker);
    await broadcaster.stop();
    await heal?.();
  });
}
