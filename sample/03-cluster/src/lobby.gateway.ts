import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, WebSocketService, WsError, WsRoute, WsSubscriber } from 'nestjs-pxl-websocket';
import type {
  ClientEntry,
  ClusterEventMessages as Events,
  WebSocketSubscriberHandlerContext as Context,
  WsClient,
} from 'nestjs-pxl-websocket';

export const LOBBY = 'lobby';

/** Who is in the lobby, and where. */
interface Person {
  clientId: string;
  name: string | undefined;
  workerId: string;
  /** Its number among the workers. */
  worker: unknown;
  since: number;
}

@WebSocketGateway()
export class LobbyGateway {
  constructor(
    private readonly sockets: WebSocketService,
    private readonly clients: ClientManager,
  ) {}

  /** Reaches the members on every worker, its author among them, each once. */
  @WsRoute('lobby', 'say')
  async say(@ConnectedSocket() client: WsClient, @MessageBody('text') text: unknown): Promise<void> {
    if (typeof text !== 'string' || text.trim() === '' || text.length > 500) {
      throw new WsError('VALIDATION_FAILED', 'A message has between 1 and 500 characters.');
    }
    const data = { from: person(client), text: text.trim() };
    await this.sockets.sendToRooms([LOBBY], { type: 'lobby', action: 'message', data });
  }

  /** Everybody, whichever worker they are on: the mirror knows, no other worker is asked. */
  @WsRoute('lobby', 'people')
  people(): Person[] {
    return this.clients.getClientsByRoom({ room: LOBBY }).map(person);
  }

  /** So that one can see it happen. An application leaves this to whoever deploys it. */
  @WsRoute('worker', 'stop')
  stop(): void {
    process.kill(process.pid, 'SIGTERM');
  }

  /** Every worker hears of the clients of all workers, and tells its own; those of a worker that died leave too. */
  @WsSubscriber({ channel: 'clientJoinedRoom' })
  came({ message, webSocketServer }: Context<Events['clientJoinedRoom']>): void {
    const client = this.clients.getClient(message);
    if (!client) return;
    webSocketServer.broadcastToRoom({ roomName: LOBBY, data: { type: 'lobby', action: 'came', data: person(client) } });
  }

  @WsSubscriber({ channel: 'clientDisconnected' })
  left({ message: { clientId }, webSocketServer }: Context<Events['clientDisconnected']>): void {
    webSocketServer.broadcastToRoom({ roomName: LOBBY, data: { type: 'lobby', action: 'left', data: { clientId } } });
  }
}

function person({ clientId, user, metadata, workerId, connectedAt }: ClientEntry): Person {
  return { clientId, name: user?.userId, workerId, worker: metadata.worker, since: connectedAt };
}
