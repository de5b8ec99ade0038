import cluster from 'node:cluster';
import { ConnectedSocket, MessageBody, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { WebSocketService, WsError, WsRoute, type WsClient } from 'nestjs-pxl-websocket';

export const LOBBY = 'lobby';

@WebSocketGateway()
export class LobbyGateway implements OnGatewayConnection {
  constructor(private readonly sockets: WebSocketService) {}

  /** Tells each client which worker it has come to. */
  handleConnection(client: WsClient): void {
    client.send({ type: 'worker', action: 'here', data: { worker: cluster.worker?.id } });
  }

  /** Reaches the members on every worker, its author among them, each once. */
  @WsRoute('lobby', 'say')
  async say(@ConnectedSocket() client: WsClient, @MessageBody('text') text: unknown): Promise<void> {
    if (typeof text !== 'string' || text.trim() === '' || text.length > 500) {
      throw new WsError('VALIDATION_FAILED', 'A message has between 1 and 500 characters.');
    }
    const data = { from: client.user?.userId, worker: cluster.worker?.id, text: text.trim() };
    await this.sockets.sendToRooms([LOBBY], { type: 'lobby', action: 'message', data });
  }

  /** So that one can see it happen. An application leaves this to whoever deploys it. */
  @WsRoute('worker', 'stop')
  stop(): void {
    process.kill(process.pid, 'SIGTERM');
  }
}
