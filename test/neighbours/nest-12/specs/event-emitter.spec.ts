import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsRoute, WsSubscriber } from 'nestjs-pxl-websocket';
import { startsApps } from '../support/app.js';

@WebSocketGateway()
class Gateway {
  constructor(
    private readonly sockets: WebSocketService,
    private readonly events: EventEmitter2,
  ) {}

  @WsRoute('order', 'place')
  place() {
    this.events.emit('order.placed', { id: 1 });
    return 'placed';
  }

  @OnEvent('order.placed')
  placed(data: { id: number }) {
    return this.sockets.broadcast({ type: 'order', action: 'placed', data });
  }

  @WsSubscriber({ channels: ['clientConnected'] })
  connected() {
    this.events.emit('client.connected');
  }

  @OnEvent('client.connected')
  greet() {
    return this.sockets.broadcast({ type: 'client', action: 'greeted' });
  }
}

describe('@nestjs/event-emitter', () => {
  const start = startsApps();

  it('a handler of an event sends to clients, also where it and the routes are of one gateway; subscribers emit events', async () => {
    const { client } = await start({ imports: [EventEmitterModule.forRoot()], providers: [Gateway] });
    const tester = await client();
    await tester.next('client', 'greeted');
    assert.equal(await tester.request('order', 'place'), 'placed');
    assert.deepEqual((await tester.next('order', 'placed')).data, { id: 1 });
  });
});
