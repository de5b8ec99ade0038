import { Module } from '@nestjs/common';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { ChatGateway } from './chat.gateway.js';
import { authenticateByName } from './name.authenticator.js';
import { PageController } from './page.controller.js';

@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      auth: { authenticate: authenticateByName },
      rooms: {
        // Anybody may join any room,
        open: true,
        // in which all see who is there: a person once, however many tabs they have.
        presence: true,
        // Pages tell each other who is typing, without a handler here.
        whisper: true,
      },
    }),
  ],
  controllers: [PageController],
  providers: [ChatGateway],
})
export class AppModule {}
