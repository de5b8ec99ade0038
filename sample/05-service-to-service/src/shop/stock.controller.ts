import { MessageBody } from '@nestjs/websockets';
import { WebSocketClientController, WebSocketService, WsRoute } from 'nestjs-pxl-websocket';
import type { Stock } from '../warehouse.contract.js';

/** Hears the warehouse: what it says unasked goes on to the visitors, what it asks is answered. */
@WebSocketClientController()
export class StockController {
  constructor(private readonly sockets: WebSocketService) {}

  @WsRoute('stock', 'changed')
  changed(@MessageBody() stock: Stock): Promise<void> {
    return this.sockets.broadcast({ type: 'shop', action: 'stock', data: stock });
  }

  @WsRoute('shop', 'demand')
  async demand(@MessageBody('item') item: string): Promise<number> {
    const count = item === 'biscuits' ? 0 : 4;
    await this.sockets.broadcast({ type: 'shop', action: 'asked', data: { item, count } });
    return count;
  }
}
