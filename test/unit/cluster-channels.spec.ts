import { describe, expect, it } from '@jest/globals';
import { ClusterChannels } from '../../lib/cluster/bus/cluster-channels.js';

const channels = new ClusterChannels('pxl', false);
const ada = `AAAAAAAA.${'a'.repeat(16)}`;
const bob = `BBBBBBBB.${'b'.repeat(16)}`;

describe('The channels of an envelope', () => {
  it('is one for everybody', () => {
    expect(channels.of({ kind: 'everybody' }, 'AAAAAAAA')).toEqual(['pxl:broadcast']);
  });

  it('is one for each room and each user, whatever they are called', () => {
    const names = ['news', '*', 'a?[b]', '{x}', '%7Bx%7D', 'a\r\nb', 'pxl:broadcast'];
    const rooms = channels.of({ kind: 'rooms', roomNames: names }, null);
    expect(rooms).toEqual([
      'pxl:room:news',
      'pxl:room:*',
      'pxl:room:a?[b]',
      'pxl:room:%7Bx%7D',
      'pxl:room:%257Bx%257D',
      'pxl:room:a%0D%0Ab',
      'pxl:room:pxl:broadcast',
    ]);
    expect(channels.of({ kind: 'users', userIds: ['7'] }, null)).toEqual(['pxl:user:7']);
  });

  it("is one for each worker of the clients' ids, and none for the sender's own", () => {
    expect(channels.of({ kind: 'clients', clientIds: [ada, bob, bob, ada] }, 'AAAAAAAA')).toEqual([
      'pxl:worker:BBBBBBBB',
    ]);
    expect(channels.of({ kind: 'workers', workerIds: ['AAAAAAAA'] }, 'AAAAAAAA')).toEqual([]);
  });

  it('is none for an id that carries no worker', () => {
    const ids = ['adopted', 'a.b', `*.${'a'.repeat(16)}`, `${ada}x`, `pxl:worker:${ada}`];
    expect(channels.of({ kind: 'clients', clientIds: ids }, null)).toEqual([]);
  });

  it('is the one for everybody when there would be more than 32', () => {
    const roomNames = Array.from({ length: 33 }, (_, index) => `room ${index}`);
    expect(channels.of({ kind: 'rooms', roomNames: roomNames.slice(1) }, null)).toHaveLength(32);
    expect(channels.of({ kind: 'rooms', roomNames }, null)).toEqual(['pxl:broadcast']);
    expect(channels.of({ kind: 'rooms', roomNames: Array(100).fill('one') as string[] }, null)).toEqual([
      'pxl:room:one',
    ]);
  });

  it('hears all events by a pattern that its prefix cannot widen', () => {
    expect(new ClusterChannels('a*[b]?\\c', false).everyEvent).toBe('a\\*\\[b\\]\\?\\\\c:event:*');
  });
});
