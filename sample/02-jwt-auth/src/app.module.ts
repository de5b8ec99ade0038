import { randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { Accounts } from './accounts.js';
import { DeskGateway } from './desk.gateway.js';
import { LoginController } from './login.controller.js';
import { PageController } from './page.controller.js';
import { StaffRoomRule } from './staff-room.rule.js';

/** Short, so that one can watch a token expire; an application takes minutes. */
const LIFETIME = Number(process.env.TOKEN_SECONDS ?? 60);

@Module({
  imports: [
    JwtModule.register({
      secret: process.env.JWT_SECRET ?? randomBytes(32).toString('hex'),
      signOptions: { expiresIn: LIFETIME },
    }),
    PxlWebSocketModule.forRoot({
      // The JwtService above verifies; a page sends its token as a subprotocol, and can read why it was refused.
      auth: { jwt: true, tokenFrom: ['protocol'], rejectMode: 'close' },
      rooms: { authorize: StaffRoomRule, announce: true },
      limits: { messagesPerSecond: 20, connectionsPerUser: { max: 5, onExceed: 'replaceOldest' } },
    }),
  ],
  controllers: [LoginController, PageController],
  providers: [Accounts, DeskGateway, StaffRoomRule],
})
export class AppModule {}
