import { Module } from '@nestjs/common';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { PollGateway } from './poll.gateway';
import { PollService } from './poll.service';

@Module({
  imports: [PxlWebSocketModule.forRoot({ rooms: { defaults: ['poll'] } })],
  providers: [PollGateway, PollService],
})
export class AppModule {}
