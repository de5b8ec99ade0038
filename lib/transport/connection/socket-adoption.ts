import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { ClientAddress } from '../../auth/client-address.js';
import { NO_PARAMS, WsRequest, type WsRequestParams } from '../../ws-client/ws-request.js';
import { codecOf } from '../../protocol/codecs.js';
import { WsError } from '../../errors/ws.error.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { outboxOfAdopted } from './adopted-socket.js';
import { ConnectionHandler } from './connection.handler.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import { EndpointRegistry } from '../endpoint/endpoint.registry.js';
import { OutboxServices } from '../outbox/outbox.services.js';
import type { WsUser } from '../../ws-client/client-entry.js';
import { networkSocketOf } from '../outbox/write-progress.js';
import { pathOf } from '../upgrade/upgrade-request.js';

/** An open socket of another ws server, and the client that it becomes. */
export interface AdoptedSocket {
  readonly clientId: string;
  readonly ws: WebSocket;
  readonly user: WsUser | null;
  /** In ms since 1970. Default: now. */
  readonly lastActivity: number | undefined;
  /** As a request has it, with or without a query. Default: the module's own. */
  readonly path: string | undefined;
}

/** Makes sockets that other ws servers have accepted clients of an endpoint of the application's own HTTP server. */
@Injectable()
export class SocketAdoption {
  constructor(
    private readonly connections: ConnectionHandler,
    private readonly endpoints: EndpointRegistry,
    private readonly services: OutboxServices,
    private readonly addresses: ClientAddress,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Makes the socket a client: welcomed, its messages routed, its end noticed. Does nothing where the module is not enabled.
   *
   * @throws WsError BAD_MESSAGE for a path that no endpoint has, INVALID_ROOM
   */
  adopt({ clientId, ws, user, lastActivity, path }: AdoptedSocket): void {
    if (!this.options.enabled) return;
    const { endpoint, url, params } = this.#placeOf(path);
    checkOwnRoom(clientId, endpoint.options);
    // ws does not keep the upgrade request: the connection hooks get one that has only the path and the peer's address.
    const stream = networkSocketOf(ws);
    const peer = stream instanceof Socket ? stream : new Socket();
    const request = Object.assign(new IncomingMessage(peer), { url });
    const info = new WsRequest(request, { ip: this.addresses.of(request), params, ownNames: endpoint.ownNames });
    const outbox = outboxOfAdopted(ws, this.services);
    const identity = { user };
    const codec = codecOf(endpoint.options.protocol);
    const client = this.connections.accept({ endpoint, outbox, request, info, clientId, codec, identity });
    if (lastActivity !== undefined) client.lastActivity = lastActivity;
  }

  #placeOf(path: string | undefined): { endpoint: Endpoint; url: string; params: WsRequestParams } {
    const url = path ?? this.options.path;
    const target = pathOf({ url });
    const endpoint = path === undefined ? this.endpoints.open(0, undefined) : this.endpoints.find(0, target);
    if (!endpoint) throw new WsError('BAD_MESSAGE', `There is no endpoint at the path ${target}.`);
    if (!endpoint.pattern) return { endpoint, url, params: NO_PARAMS };
    if (path === undefined) {
      throw new WsError('BAD_MESSAGE', `The path ${url} has parameters: addClient needs the path of the socket.`);
    }
    const params = endpoint.pattern.paramsOf(target);
    if (!params) throw new WsError('BAD_MESSAGE', 'The path of the socket is not percent-encoded UTF-8.');
    return { endpoint, url, params };
  }
}

/** @throws WsError INVALID_ROOM with `rooms.own`, for an id that is too long to be the name of a room */
function checkOwnRoom(clientId: string, { rooms, limits: { roomName } }: ResolvedOptions): void {
  if (!rooms.own || roomName === false || clientId.length <= roomName) return;
  const sentence = `With rooms.own a client's id has at most ${roomName} characters (limits.roomName).`;
  throw new WsError('INVALID_ROOM', sentence);
}
