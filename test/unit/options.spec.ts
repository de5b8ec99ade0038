import { describe, expect, it } from '@jest/globals';
import type { PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { resolveOptions } from '../../lib/pxl-websocket.options.js';

/** Options as a JavaScript user may give them. */
function resolve(given: unknown): ReturnType<typeof resolveOptions> {
  return resolveOptions(given as PxlWebSocketModuleOptions);
}

describe('the defaults', () => {
  const defaults = resolve({});

  it('let clients neither join rooms nor see each other, and disconnect nobody who is silent', () => {
    expect(defaults.rooms).toMatchObject({
      clientCanJoinMultipleRooms: true,
      open: false,
      announce: false,
      defaults: [],
    });
    expect(defaults.clientList).toEqual({ enabled: false, fields: ['clientId', 'userId', 'username', 'rooms'] });
    expect(defaults.disconnectInactiveClients).toEqual({
      enabled: false,
      inactiveTime: 300_000,
      intervalCheckTime: 60_000,
      log: false,
    });
  });

  it('bound what a client can make the server keep', () => {
    expect(defaults.limits).toMatchObject({
      maxPayload: 65_536,
      roomsPerClient: 128,
      roomName: 128,
      metadataBytes: 4_096,
      streamsPerClient: 32,
    });
    expect(defaults.inbound).toEqual({ concurrency: 1, queue: 64, binary: false });
  });

  it('hold where an option is given as undefined', () => {
    const given = { path: undefined, rooms: undefined, clientList: { fields: undefined } };
    expect(resolve(given)).toEqual(defaults);
  });
});

describe('resolved options', () => {
  it('cannot be changed, and do not follow what was given', () => {
    const given = { rooms: { defaults: ['lobby'] }, clientList: { fields: ['clientId'] } };
    const options = resolve(given);
    given.rooms.defaults.push('more');
    given.clientList.fields.push('userId');
    expect(options.rooms.defaults).toEqual(['lobby']);
    expect(options.clientList.fields).toEqual(['clientId']);
    for (const frozen of [options, options.rooms, options.rooms.defaults, options.clientList.fields, options.limits]) {
      expect(Object.isFrozen(frozen)).toBe(true);
    }
  });

  it('take limits as false where they can be switched off', () => {
    const limits = { roomsPerClient: false, roomName: false, metadataBytes: false, streamsPerClient: false };
    expect(resolve({ limits }).limits).toMatchObject(limits);
  });

  it('take default rooms that fit the limits exactly, or that no limit counts', () => {
    const rooms = { defaults: ['tea', 'lobby', 'tea'] };
    for (const limits of [
      { roomName: 5, roomsPerClient: 2 },
      { roomName: false, roomsPerClient: false },
    ]) {
      expect(resolve({ rooms, limits }).rooms.defaults).toEqual(rooms.defaults);
    }
    const oneRoom = { ...rooms, clientCanJoinMultipleRooms: false };
    expect(resolve({ rooms: oneRoom, limits: { roomsPerClient: 1 } }).rooms.defaults).toEqual(rooms.defaults);
  });

  it('allow claims and metadata in the client list only by name', () => {
    const fields = ['userType', 'roomName', 'user.payload.name', 'metadata.status.text'];
    expect(resolve({ clientList: { fields } }).clientList.fields).toEqual(fields);
  });
});

describe('a bad option is refused in one sentence', () => {
  it.each<[unknown, string]>([
    [{ path: 'ws' }, `The option path is a path like '/ws', without a query, not "ws".`],
    [{ rooms: true }, 'The option rooms is an object, not true.'],
    [{ rooms: { open: 'yes' } }, 'The option rooms.open is true or false, not a text.'],
    [{ rooms: { defaults: 'lobby' } }, 'The option rooms.defaults is a list of texts, not a text.'],
    [{ rooms: { defaults: [''] } }, 'The option rooms.defaults is a list of texts, not a list.'],
    [
      { rooms: { defaults: ['tea', 'lobby'] }, limits: { roomName: 4 } },
      'The option rooms.defaults is a list of names of at most limits.roomName (4) characters, not 5.',
    ],
    [
      { rooms: { defaults: ['tea', 'lobby'] }, limits: { roomsPerClient: 1 } },
      'The option rooms.defaults is a list of at most limits.roomsPerClient (1) rooms, not 2.',
    ],
    [
      { protocol: 'event', limits: { roomsPerClient: 1 } },
      'The option rooms.defaults is a list of at most limits.roomsPerClient (1) rooms, not 2.',
    ],
    [
      { rooms: { defaults: ['lobby'] }, endpoints: { '/admin': { limits: { roomName: 4 } } } },
      'The option rooms.defaults is a list of names of at most limits.roomName (4) characters, not 5. (in endpoints["/admin"])',
    ],
    [
      { limits: { roomName: 0 } },
      'The option limits.roomName is a whole number from 1 to 2147483647, or false, not 0.',
    ],
    [
      { limits: { metadataBytes: 1.5 } },
      'The option limits.metadataBytes is a whole number from 2 to 2147483647, or false, not 1.5.',
    ],
    [
      { disconnectInactiveClients: { inactiveTime: null } },
      'The option disconnectInactiveClients.inactiveTime is a whole number from 10 to 2147483647, not null.',
    ],
    [
      { disconnectInactiveClients: { intervalCheckTime: 2 ** 31 } },
      'The option disconnectInactiveClients.intervalCheckTime is a whole number from 10 to 2147483647, not 2147483648.',
    ],
    [{ encryption: 'yes' }, 'The option encryption is true, false or an object, not a text.'],
    [{ encryption: { required: 1 } }, 'The option encryption.required is true or false, not 1.'],
    [
      { encryption: { batchLimit: 0 } },
      'The option encryption.batchLimit is a whole number from 1 to 2147483647, not 0.',
    ],
    [{ outboundTransformer: true }, 'The option outboundTransformer is a function, not true.'],
    [{ clientList: { enabled: 1 } }, 'The option clientList.enabled is true or false, not 1.'],
    [{ clientList: { fields: 'clientId' } }, 'The option clientList.fields is a list of texts, not a text.'],
  ])('%j', (given, sentence) => {
    expect(() => resolve(given)).toThrow(new Error(sentence));
  });

  it.each<[string, object, string]>([
    [
      'an own handshake whose keys nothing would use',
      { handshake: () => null },
      'The option encryption.handshake is undefined without encryption.transform, not a function.',
    ],
    [
      'half a cipher',
      { open: () => null },
      'The option encryption.open is undefined without encryption.transform, not a function.',
    ],
    [
      'a requirement that nobody could meet',
      { transform: () => null, required: true },
      'The option encryption.required is false beside encryption.transform without encryption.handshake, not true.',
    ],
  ])('%s', (_what, encryption, sentence) => {
    expect(() => resolve({ encryption })).toThrow(new Error(sentence));
  });

  it.each(['user', 'user.payload', 'user.payload.', 'token', 'metadata', 'request.headers', '__proto__', 'ws'])(
    'a client list that would tell %s',
    (field) => {
      expect(() => resolve({ clientList: { fields: ['clientId', field] } })).toThrow(
        /^The option clientList\.fields is a list of clientId, .+ user\.payload\.<claim> and metadata\.<key>, not a list\.$/,
      );
    },
  );

  it.each<[object, string]>([
    [{ room: {} }, 'There is no option room;'],
    [{ rooms: { multiple: true } }, 'There is no option rooms.multiple; there are clientCanJoinMultipleRooms,'],
    [{ encryption: { algorithm: 'AES' } }, 'There is no option encryption.algorithm; there are required, handshake,'],
    [{ clientList: { interval: 5 } }, 'There is no option clientList.interval; there are fields, enabled.'],
    [{ disconnectInactiveClients: { time: 5 } }, 'There is no option disconnectInactiveClients.time;'],
  ])('%j, which nobody reads', (given, sentence) => {
    expect(() => resolve(given)).toThrow(sentence);
  });
});
