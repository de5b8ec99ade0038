import cluster from 'node:cluster';
import { Module } from '@nestjs/common';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { HealthController } from './health.controller.js';
import { LOBBY, LobbyGateway } from './lobby.gateway.js';
import { authenticateByName } from './name.authenticator.js';
import { PageController } from './page.controller.js';

@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      // This line makes one system of the workers.
      redis: process.env.REDIS_URL ?? 'redis://localhost:6379',
      prefix: 'sample-03',
      auth: { authenticate: authenticateByName },
      rooms: {
        // The object is what all see of a member as its profile: the worker it has come in by.
        authorize: ({ roomName }) => roomName === LOBBY && { worker: cluster.worker?.id },
        presence: true,
      },
    }),
  ],
  controllers: [HealthController, PageController],
  providers: [LobbyGateway],
})
export class AppModule {}
