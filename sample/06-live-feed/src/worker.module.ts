import { Module } from '@nestjs/common';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { HISTORY, PREFIX } from './room.js';

/** All that an application needs for a room that loses nothing. */
@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      redis: process.env.REDIS_URL,
      prefix: PREFIX,
      rooms: { open: true, history: HISTORY },
      // A killed worker is forgotten sooner than after ten seconds, so that the next one can begin.
      cluster: { lease: 3_000 },
    }),
  ],
})
export class WorkerModule {}
