import { afterEach, describe, expect, it } from '@jest/globals';
import type { PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { LEASE } from '../support/cluster-periods.js';
import { TestCluster } from '../support/test-cluster.js';
import type { TestClient } from '../support/test-client.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** Who judges others has renewed its own lease in time for the length of a lease: on a busy machine that takes some of them. */
const PATIENCE = 30 * LEASE;
const TIMEOUT = 2 * PATIENCE;

let cluster: TestCluster;

afterEach(() => cluster.close());

/** A room with members on two workers that nothing happens to, and one on a worker that something happens to. */
class Room {
  private constructor(
    private readonly name: string,
    readonly witnesses: readonly TestClient[],
    readonly lost: TestClient,
  ) {}

  static async of(name: string, victim: WorkerProcess): Promise<Room> {
    const [one, two] = cluster.workers as [WorkerProcess, WorkerProcess];
    const room = new Room(name, [await one.client(), await two.client()], await victim.client({ userId: '7' }));
    const [ada, bo] = room.witnesses as [TestClient, TestClient];
    await ada.request('system', 'joinRoom', { roomName: name, username: 'Ada' });
    // A publish that Redis has confirmed comes behind Ada's announcement: Bo joins after that, and does not hear it.
    await one.run(({ service }) => service.sendToUsers(['nobody'], { type: 'no', action: 'message' }));
    await bo.request('system', 'joinRoom', { roomName: name, username: 'Bo' });
    await ada.next('room', 'memberJoined');
    await room.lost.request('system', 'joinRoom', { roomName: name, username: 'Seven' });
    await room.expectTold('memberJoined');
    return room;
  }

  /** Fails unless the next message of both witnesses tells about the client of the victim. */
  async expectTold(action: string): Promise<void> {
    const { clientId } = this.lost;
    const data = { roomName: this.name, member: { clientId, userId: '7', username: 'Seven' } };
    for (const client of this.witnesses) {
      await eventually(`it is told: ${action}`, () => client.pending.length > 0, PATIENCE);
      expect(await client.next()).toEqual({ type: 'room', action, data });
    }
  }

  async expectSilence(): Promise<void> {
    await Promise.all(this.witnesses.map((client) => client.expectNothing(LEASE / 4)));
  }
}

describe('The members of a worker', () => {
  it.each<[string, PxlWebSocketModuleOptions]>([
    ['with a mirror', { rooms: { open: true, announce: true } }],
    [
      'without one, and at an endpoint that announces, whatever the others do',
      { rooms: { open: true }, endpoints: { '/ws': { rooms: { announce: true } } }, cluster: { mirror: false } },
    ],
  ])(
    'are announced to have left when it was killed, stood still for long or stopped, once to each other member, and to be back: %s',
    async (_, options) => {
      cluster = await TestCluster.start({ workers: 5, isDirect: true, options });
      const [, , killed, frozen, stopped] = cluster.workers as [unknown, unknown, ...WorkerProcess[]];
      const rooms = await Promise.all([
        Room.of('of the killed', killed!),
        Room.of('of the frozen', frozen!),
        Room.of('of the stopped', stopped!),
      ]);
      const [, ofTheFrozen] = rooms;

      frozen!.freeze();
      await Promise.all([killed!.kill(), stopped!.stop()]);
      await Promise.all(rooms.map((room) => room.expectTold('memberLeft')));
      frozen!.thaw();
      await ofTheFrozen.expectTold('memberJoined');
      await Promise.all(rooms.map((room) => room.expectSilence()));
      await ofTheFrozen.lost.expectNothing();
    },
    TIMEOUT,
  );
});
