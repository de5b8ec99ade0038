import { Module } from '@nestjs/common';
import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { WarehouseGateway } from './warehouse.gateway.js';

/** A service: its clients are other servers. */
@Module({ imports: [PxlWebSocketModule.forRoot()], providers: [WarehouseGateway] })
export class WarehouseModule {}
