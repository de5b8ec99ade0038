import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { ClientManager } from '../clients/client-manager.js';
import type { AdoptedSocket, SocketAdopter } from '../clients/socket-adopter.interface.js';
import { codecOf } from '../protocol/codecs.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { adoptedSocket } from './adopted-socket.js';
import { ConnectionHandler } from './connection.handler.js';
import { EndpointRegistry } from './endpoint.registry.js';
import { OutboxServices } from './outbox.services.js';

/** Connects sockets that other ws servers have accepted to the module's own path. */
@Injectable()
export class SocketAdoption implements SocketAdopter {
  constructor(
    private readonly connections: ConnectionHandler,
    private readonly endpoints: EndpointRegistry,
    private readonly outbox: OutboxServices,
    clients: ClientManager,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    if (options.enabled) clients.adoptWith(this);
  }

  adopt({ clientId, ws, user, lastActivity }: AdoptedSocket): void {
    const endpoint = this.endpoints.open(0, undefined);
    // ws keeps no upgrade request; the connection hooks get an empty one of the module's path.
    const request = Object.assign(new IncomingMessage(new Socket()), { url: endpoint.path });
    const socket = adoptedSocket(ws, this.outbox);
    const identity = { user };
    const codec = codecOf(endpoint.options.protocol);
    const client = this.connections.accept({ endpoint, socket, request, clientId, codec, identity });
    if (lastActivity !== undefined) client.lastActivity = lastActivity;
  }
}
