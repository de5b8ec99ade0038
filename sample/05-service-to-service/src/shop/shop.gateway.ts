import { UseFilters, type OnModuleInit } from '@nestjs/common';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsRoute } from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
import type { Stock, Warehouse } from '../warehouse.contract.js';
import { WarehouseFilter } from './warehouse.filter.js';

/** Serves the visitors of the page, with what the warehouse has. */
@WebSocketGateway()
@UseFilters(WarehouseFilter)
export class ShopGateway implements OnModuleInit {
  constructor(
    private readonly sockets: WebSocketService,
    private readonly warehouse: WebSocketClient<Warehouse>,
  ) {}

  /** The connection to the warehouse comes and goes, and comes back by itself. */
  onModuleInit(): void {
    this.warehouse.onState(({ state }) => {
      void this.sockets.broadcast({ type: 'shop', action: 'supply', data: { isThere: state === 'connected' } });
    });
  }

  @WsRoute('shop', 'goods')
  goods(): Promise<Stock[]> {
    return this.warehouse.request('stock', 'list');
  }

  @WsRoute('shop', 'buy')
  buy(@MessageBody('item') item: unknown): Promise<Stock> {
    return this.warehouse.request('stock', 'take', { item });
  }
}
