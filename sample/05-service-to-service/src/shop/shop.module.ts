import { Module } from '@nestjs/common';
import { PxlWebSocketClientModule, PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { PageController } from './page.controller.js';
import { ShopGateway } from './shop.gateway.js';
import { StockController } from './stock.controller.js';

/** A server for its visitors, and a client of the warehouse. */
@Module({
  imports: [
    PxlWebSocketModule.forRoot(),
    PxlWebSocketClientModule.forRootAsync({
      useFactory: () => ({
        url: process.env.WAREHOUSE_URL ?? 'ws://localhost:3001/ws',
        // A visitor who buys wants to hear at once that the warehouse is away.
        queue: false,
      }),
    }),
  ],
  controllers: [PageController],
  providers: [ShopGateway, StockController],
})
export class ShopModule {}
