import { MessageBody, OnGatewayDisconnect, WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsClient, WsClientId, WsRoute } from 'nestjs-pxl-websocket';
import { type Counts, PollService } from './poll.service';
import { Vote } from './vote.dto';

@WebSocketGateway()
export class PollGateway implements OnGatewayDisconnect {
  constructor(
    private readonly poll: PollService,
    private readonly sockets: WebSocketService,
  ) {}

  @WsRoute('poll', 'counts')
  counts(): Counts {
    return this.poll.counts();
  }

  @WsRoute('poll', 'vote')
  async vote(@WsClientId() voter: string, @MessageBody() { choice }: Vote): Promise<Counts> {
    this.poll.vote(voter, choice);
    await this.tell();
    return this.poll.counts();
  }

  async handleDisconnect({ clientId }: WsClient): Promise<void> {
    if (this.poll.withdraw(clientId)) await this.tell();
  }

  private async tell(): Promise<void> {
    await this.sockets.sendToRooms(['poll'], { type: 'poll', action: 'counts', data: this.poll.counts() });
  }
}
