import { Module } from '@nestjs/common';
import { forwardQueueEvents, PxlWebSocketModule, WebSocketQueueEvents, type WsCredentials } from 'nestjs-pxl-websocket';
import { PostcardsController } from './postcards.controller.js';
import { POSTCARDS, REDIS_URL } from './postcards.js';

/** Takes every page at its word for whose it is; sample/02-jwt-auth shows how to verify that. */
function authenticate({ request }: WsCredentials): { userId: string } | null {
  const userId = new URL(request.url, 'http://host').searchParams.get('visitor');
  return userId ? { userId } : null;
}

@Module({
  imports: [
    // The end of each job is forwarded to the user that its data names.
    PxlWebSocketModule.forRoot({
      redis: REDIS_URL,
      auth: { authenticate },
      subscribers: [forwardQueueEvents({ queue: POSTCARDS })],
    }),
  ],
  controllers: [PostcardsController],
  providers: [WebSocketQueueEvents.forQueue(POSTCARDS)],
})
export class AppModule {}
