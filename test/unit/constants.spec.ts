import { describe, expect, it } from '@jest/globals';
import {
  WebSocketChannels,
  WebSocketClientStates,
  WebSocketDefaults,
  WebSocketEvents,
  WebSocketMessageTypes,
} from 'nestjs-pxl-websocket';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';

/** The constants without what all of them have. */
function valuesOf(constants: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(constants).filter(([name, value]) => name !== 'SCHEME_SET' && typeof value !== 'function'),
  );
}

describe.each([
  [
    'WebSocketEvents',
    WebSocketEvents,
    {
      AUTHENTICATE: 'authenticate',
      CONNECTED: 'connected',
      DISCONNECT: 'disconnect',
      JOIN: 'join',
      LEAVE: 'leave',
      ERROR: 'error',
      HEARTBEAT: 'heartbeat',
      ENCRYPTED: 'encrypted',
    },
  ],
  [
    'WebSocketMessageTypes',
    WebSocketMessageTypes,
    { CLIENT: 'client', USER: 'user', ROOM: 'room', BROADCAST: 'broadcast' },
  ],
  [
    'WebSocketClientStates',
    WebSocketClientStates,
    {
      UNAUTHORIZED: 'unauthorized',
      AUTHENTICATING: 'authenticating',
      AUTHENTICATED: 'authenticated',
      DISCONNECTED: 'disconnected',
    },
  ],
])('%s', (_name, constants, values) => {
  it('has the values of Ignis, which cannot be changed', () => {
    expect(valuesOf(constants)).toEqual(values);
    expect(Object.isFrozen(constants)).toBe(true);
  });

  it('knows its values, and nothing else', () => {
    expect([...constants.SCHEME_SET]).toEqual(Object.values(values));
    for (const value of Object.values(values)) expect(constants.isValid(value)).toBe(true);
    for (const other of ['invalid', '', 7, null, undefined, 'SCHEME_SET']) expect(constants.isValid(other)).toBe(false);
  });
});

describe('WebSocketChannels', () => {
  it('makes the names of channels', () => {
    expect(valuesOf(WebSocketChannels)).toEqual({
      BROADCAST: 'ws:broadcast',
      ROOM_PREFIX: 'ws:room:',
      CLIENT_PREFIX: 'ws:client:',
      USER_PREFIX: 'ws:user:',
    });
    expect(WebSocketChannels.forRoom({ room: 'tea' })).toBe('ws:room:tea');
    expect(WebSocketChannels.forClient({ clientId: 'a.b' })).toBe('ws:client:a.b');
    expect(WebSocketChannels.forUser({ userId: '7' })).toBe('ws:user:7');
    expect(WebSocketChannels.forRoomPattern()).toBe('ws:room:*');
    expect(WebSocketChannels.forClientPattern()).toBe('ws:client:*');
    expect(WebSocketChannels.forUserPattern()).toBe('ws:user:*');
  });

  it('knows which names are those of channels', () => {
    for (const name of ['ws:broadcast', 'ws:room:tea', 'ws:client:a', 'ws:user:7']) {
      expect(WebSocketChannels.isValid(name)).toBe(true);
    }
    for (const other of ['ws:room:', 'ws:broadcasts', 'room:tea', '', 7, null]) {
      expect(WebSocketChannels.isValid(other)).toBe(false);
    }
    expect(WebSocketChannels.SCHEME_SET.has('ws:broadcast')).toBe(true);
  });
});

describe('WebSocketDefaults', () => {
  it('are those that hold on an event endpoint, but for two that have no counterpart', () => {
    const { path, rooms, heartbeat, auth, limits, disconnectInactiveClients, outbound } = resolveOptions({
      protocol: 'event',
    });
    const [room, notificationRoom, ...others] = rooms.defaults;
    expect(valuesOf(WebSocketDefaults)).toEqual({
      PATH: path,
      ROOM: room,
      NOTIFICATION_ROOM: notificationRoom,
      BROADCAST_TOPIC: 'ws:internal:broadcast',
      MAX_PAYLOAD_LENGTH: limits.maxPayload,
      IDLE_TIMEOUT: (heartbeat!.interval + heartbeat!.timeout) / 1_000,
      BACKPRESSURE_LIMIT: limits.maxBufferedBytes,
      SEND_PINGS: heartbeat !== null,
      PUBLISH_TO_SELF: false,
      AUTH_TIMEOUT: auth.timeout,
      HEARTBEAT_INTERVAL: disconnectInactiveClients.intervalCheckTime,
      HEARTBEAT_TIMEOUT: disconnectInactiveClients.inactiveTime,
      ENCRYPTED_BATCH_LIMIT: outbound.batchLimit,
    });
    expect(others).toEqual([]);
    expect(disconnectInactiveClients.enabled).toBe(true);
  });

  it('have the names of Ignis', () => {
    expect(Object.keys(valuesOf(WebSocketDefaults))).toEqual([
      'PATH',
      'ROOM',
      'NOTIFICATION_ROOM',
      'BROADCAST_TOPIC',
      'MAX_PAYLOAD_LENGTH',
      'IDLE_TIMEOUT',
      'BACKPRESSURE_LIMIT',
      'SEND_PINGS',
      'PUBLISH_TO_SELF',
      'AUTH_TIMEOUT',
      'HEARTBEAT_INTERVAL',
      'HEARTBEAT_TIMEOUT',
      'ENCRYPTED_BATCH_LIMIT',
    ]);
    expect(WebSocketDefaults.isValid('ws-default')).toBe(true);
    expect(WebSocketDefaults.isValid('other')).toBe(false);
  });
});
