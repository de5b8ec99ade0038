import { UseGuards } from '@nestjs/common';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsError, WsRateLimit, WsRoute, WsUser } from 'nestjs-pxl-websocket';
import { Roles } from './roles.decorator.js';
import { RolesGuard } from './roles.guard.js';

@WebSocketGateway()
export class DeskGateway {
  constructor(private readonly sockets: WebSocketService) {}

  /** Says to everybody what an admin has to say. Who it is stands in the token, not in the message. */
  @Roles(['admin'])
  @UseGuards(RolesGuard)
  @WsRateLimit({ limit: 5, ttl: 10_000 })
  @WsRoute('desk', 'announce')
  async announce(@WsUser('userId') from: string, @MessageBody('text') text: unknown): Promise<{ announced: true }> {
    if (typeof text !== 'string' || text.trim() === '' || text.length > 200) {
      throw new WsError('VALIDATION_FAILED', 'An announcement has between 1 and 200 characters.');
    }
    await this.sockets.broadcast({ type: 'desk', action: 'announcement', data: { from, text: text.trim() } });
    return { announced: true };
  }
}
