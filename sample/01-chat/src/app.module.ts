import { Module } from '@nestjs/common';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { ChatGateway } from './chat.gateway.js';
import { authenticateByName } from './name.authenticator.js';
import { PageController } from './page.controller.js';

@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      auth: { authenticate: authenticateByName },
      // Anybody may join any room, and the page shows who comes and goes.
      rooms: { open: true, announce: true },
    }),
  ],
  controllers: [PageController],
  providers: [ChatGateway],
})
export class AppModule {}
