import { Controller, Get, Post } from '@nestjs/common';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { trace } from '@opentelemetry/api';
import { WebSocketService, WsRoute, WsSubscriber } from 'nestjs-pxl-websocket';

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
  constructor(private readonly sockets: WebSocketService) {}

  @Get()
  get() {
    return 'page';
  }

  @Post('orders')
  async order() {
    await this.sockets.sendToUsers(['ada'], { type: 'order', action: 'paid' });
    return { paid: true };
  }
}

export const parts = { providers: [Gateway], controllers: [Page] };
