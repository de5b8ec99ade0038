import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { ClientAddress } from '../../auth/client-address.js';
import { WsRequest } from '../../ws-client/ws-request.js';
import { codecOf } from '../../protocol/codecs.js';
import { WsError } from '../../errors/ws.error.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { outboxOfAdopted } from './adopted-socket.js';
import { ConnectionHandler } from './connection.handler.js';
import { EndpointRegistry } from '../endpoint/endpoint.registry.js';
import { OutboxServices } from '../outbox/outbox.services.js';
import type { WsUser } from '../../ws-client/client-entry.js';
import { networkSocketOf } from '../outbox/write-progress.js';

/** An open socket of another ws server, and the client that it becomes. */
export interface AdoptedSocket {
  readonly clientId: string;
  readonly ws: WebSocket;
  readonly user: WsUser | null;
  /** In ms since 1970. Default: now. */
  readonly lastActivity: number | undefined;
}

/** Makes sockets that other ws servers have accepted clients of the module's own path. */
@Injectable()
export class SocketAdoption {
  constructor(
    private readonly connections: ConnectionHandler,
    private readonly endpoints: EndpointRegistry,
    private readonly services: OutboxServices,
    private readonly addresses: ClientAddress,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Makes the socket a client: welcomed, its messages routed, its end noticed. Does nothing where the module is not enabled. */
  adopt({ clientId, ws, user, lastActivity }: AdoptedSocket): void {
    if (!this.options.enabled) return;
    const endpoint = this.endpoints.open(0, undefined);
    checkOwnRoom(clientId, endpoint.options);
    // ws does not keep the upgrade request: the connection hooks get one that has only the module's path and the peer's address.
    const stream = networkSocketOf(ws);
    const peer = stream instanceof Socket ? stream : new Socket();
    const request = Object.assign(new IncomingMessage(peer), { url: endpoint.path });
    const info = new WsRequest(request, this.addresses.of(request));
    const outbox = outboxOfAdopted(ws, this.services);
    const identity = { user };
    const codec = codecOf(endpoint.options.protocol);
    const client = this.connections.accept({ endpoint, outbox, request, info, clientId, codec, identity });
    if (lastActivity !== undefined) client.lastActivity = lastActivity;
  }
}

/** @throws WsError INVALID_ROOM with `rooms.own`, for an id that is too long to be the name of a room */
function checkOwnRoom(clientId: string, { rooms, limits: { roomName } }: ResolvedOptions): void {
  if (!rooms.own || roomName === false || clientId.length <= roomName) return;
  const sentence = `With rooms.own a client's id has at most ${roomName} characters (limits.roomName).`;
  throw new WsError('INVALID_ROOM', sentence);
}
