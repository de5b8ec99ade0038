import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Injectable } from '@nestjs/common';
import {
  CommandBus,
  CommandHandler,
  CqrsModule,
  EventBus,
  EventsHandler,
  type ICommandHandler,
  type IEventHandler,
} from '@nestjs/cqrs';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsError, WsRoute } from 'nestjs-pxl-websocket';
import { startsApps } from '../support/app.js';

class PlaceOrder {
  constructor(readonly product: string) {}
}

class OrderPlaced {
  constructor(readonly product: string) {}
}

@CommandHandler(PlaceOrder)
class PlaceOrderHandler implements ICommandHandler<PlaceOrder> {
  constructor(private readonly events: EventBus) {}

  async execute({ product }: PlaceOrder) {
    if (product === 'coffee') throw new WsError('NOT_FOUND', 'There is no coffee.');
    this.events.publish(new OrderPlaced(product));
    return { placed: product };
  }
}

@EventsHandler(OrderPlaced)
class OrderPlacedHandler implements IEventHandler<OrderPlaced> {
  constructor(private readonly sockets: WebSocketService) {}

  handle({ product }: OrderPlaced) {
    return this.sockets.sendToUsers(['cook'], { type: 'order', action: 'placed', data: { product } });
  }
}

@WebSocketGateway()
@Injectable()
class Gateway {
  constructor(private readonly commands: CommandBus) {}

  @WsRoute('order', 'place')
  place(@MessageBody('product') product: string) {
    return this.commands.execute(new PlaceOrder(product));
  }
}

describe('@nestjs/cqrs', () => {
  const start = startsApps();

  it('a route executes a command, whose result or `WsError` answers it; a handler of its event sends to users', async () => {
    const { client } = await start({
      imports: [CqrsModule.forRoot()],
      providers: [Gateway, PlaceOrderHandler, OrderPlacedHandler],
      options: { auth: { authenticate: ({ token }) => ({ userId: token ?? 'guest' }) } },
    });
    const [cook, guest] = [await client({ token: 'cook' }), await client({ token: 'guest' })];
    assert.deepEqual(await guest.request('order', 'place', { product: 'tea' }), { placed: 'tea' });
    assert.deepEqual((await cook.next('order', 'placed')).data, { product: 'tea' });
    await assert.rejects(guest.request('order', 'place', { product: 'coffee' }), { code: 'NOT_FOUND' });
    assert.deepEqual(guest.pending, []);
  });
});
