import type { ClientReport, ClientSummary, RoomName } from '../../protocol/inspection.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { RoomNames } from '../../rooms/room-names.js';
import { chunksOf } from '../../runtime/chunks.js';

/** How many rooms of a client are named. */
const ROOMS = 100;

/** A client in a list. */
export function summaryOf(session: ClientSession): ClientSummary {
  const { clientId, workerId, path, request, user, connectedAt, lastActivity, rooms, backpressured } = session;
  return {
    clientId,
    workerId,
    path,
    ip: request.ip,
    userId: user?.userId ?? null,
    userType: user?.userType,
    connectedAt,
    lastActivity,
    rooms: rooms.size,
    isSlow: backpressured,
  };
}

/** @param payloads whether what the application knows of it is told, too */
export function reportOf(session: ClientSession, names: RoomNames, payloads: boolean): ClientReport {
  const { state, request, codec, encrypted, token, bufferedAmount, sentBytes, backpressured, ws } = session;
  const [first = []] = chunksOf(session.rooms, ROOMS);
  const { origin, 'user-agent': userAgent } = request.headers;
  return {
    ...summaryOf(session),
    state,
    upgrade: { origin, userAgent, params: request.params },
    protocol: codec.name,
    encrypted,
    compressed: ws.extensions.includes('permessage-deflate'),
    token: token && { issuedAt: token.issuedAt, expiresAt: token.expiresAt },
    roomList: first.map((key) => roomNameOf(key, names)),
    outbox: { waiting: bufferedAmount, sent: sentBytes, isOverBudget: backpressured },
    ...(payloads && { user: session.user?.payload, metadata: session.metadata }),
  };
}

/** What the server and what clients call a room. */
export function roomNameOf(key: string, names: RoomNames): RoomName {
  const { roomName: name, namespace } = names.read(key);
  return { key, name, namespace };
}
