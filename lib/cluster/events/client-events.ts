import type { RoomNames } from '../../rooms/room-names.js';
import type { ClusterEventMessages } from '../../protocol/cluster-events.js';
import type { ClientChange } from '../registry/client-record.js';

/** The cluster events about clients. */
type ClientEvent = {
  [Channel in Extract<keyof ClusterEventMessages, `client${string}`>]: {
    readonly channel: Channel;
    readonly message: ClusterEventMessages[Channel];
  };
}[Extract<keyof ClusterEventMessages, `client${string}`>];

/** The event about a change; null for changes that another event reports. */
export function clientEventOf(workerId: string, change: ClientChange, names: RoomNames): ClientEvent | null {
  switch (change.kind) {
    case 'connected': {
      const { clientId, connectedAt, user } = change.record;
      return { channel: 'clientConnected', message: { clientId, workerId, userId: user?.userId, connectedAt } };
    }
    case 'disconnected': {
      const { clientId, userId, code, reason } = change;
      return { channel: 'clientDisconnected', message: { clientId, workerId, userId, code, reason } };
    }
    case 'joined': {
      const { clientId, userId, membership } = change;
      return {
        channel: 'clientJoinedRoom',
        message: { clientId, workerId, ...names.read(membership.roomName), userId },
      };
    }
    case 'left': {
      const { clientId, userId, membership } = change;
      return { channel: 'clientLeftRoom', message: { clientId, workerId, ...names.read(membership.roomName), userId } };
    }
    case 'updated': {
      const { clientId, key, data } = change;
      return { channel: 'clientUpdated', message: { clientId, workerId, key, data } };
    }
    case 'identified': // reported by userConnected
    case 'described':
      return null;
  }
}
