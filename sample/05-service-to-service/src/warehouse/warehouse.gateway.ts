import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsError, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import type { Stock, Warehouse } from '../warehouse.contract.js';

/** Serves shops, as any gateway serves its clients. */
@WebSocketGateway()
export class WarehouseGateway {
  readonly #left = new Map([
    ['tea', 5],
    ['cups', 2],
    ['biscuits', 3],
  ]);

  constructor(private readonly sockets: WebSocketService<Warehouse>) {}

  @WsRoute('stock', 'list')
  list(): Stock[] {
    return [...this.#left].map(([item, left]) => ({ item, left }));
  }

  /** Takes one; of what is gone, the shop that wants it says how many to fetch first. */
  @WsRoute('stock', 'take')
  async take(@ConnectedSocket() shop: WsClient, @MessageBody('item') item: string): Promise<Stock> {
    const left = this.#left.get(item);
    if (left === undefined) throw new WsError('NOT_FOUND', 'The warehouse has no such thing.');
    const stock = left || Number(await shop.call({ type: 'shop', action: 'demand', data: { item } }));
    if (stock === 0) throw new WsError('CONFLICT', `There are no ${item} left.`);
    return this.#change({ item, left: stock - 1 });
  }

  async #change(stock: Stock): Promise<Stock> {
    this.#left.set(stock.item, stock.left);
    await this.sockets.broadcast({ type: 'stock', action: 'changed', data: stock });
    return stock;
  }
}
