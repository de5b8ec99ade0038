import { Controller, Get } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { trace } from '@opentelemetry/api';
import { WebSocketService, WsRoute, WsSubscriber } from 'nestjs-pxl-websocket';
import { MessageSpanInterceptor } from '../src/message-span.interceptor.js';

/** The ids of the traces in which subscribers have run. */
export const tracesOfSubscribers: (string | undefined)[] = [];

@WebSocketGateway()
export class Gateway {
  constructor(private readonly sockets: WebSocketService) {}

  @WsRoute('trace', 'send')
  async send() {
    await this.sockets.sendToRooms(['lobby'], { type: 'news', action: 'read' });
    return trace.getActiveSpan()?.spanContext().traceId;
  }

  @WsRoute('trace', 'fail')
  async fail(@MessageBody() text: string) {
    await Promise.resolve();
    throw new Error(text);
  }

  @WsRoute('trace', 'stream')
  async *stream() {
    for (let count = 0; count < 3; count++) yield trace.getActiveSpan()?.spanContext().traceId;
  }

  @WsSubscriber({ channels: ['clientConnected', 'clientJoinedRoom'] })
  joined() {
    tracesOfSubscribers.push(trace.getActiveSpan()?.spanContext().traceId);
  }
}

@Controller()
export class Page {
  @Get()
  get() {
    return 'page';
  }
}

export const parts = {
  providers: [Gateway, { provide: APP_INTERCEPTOR, useClass: MessageSpanInterceptor }],
  controllers: [Page],
};
