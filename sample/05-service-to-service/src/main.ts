import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ShopModule } from './shop/shop.module.js';
import { WarehouseModule } from './warehouse/warehouse.module.js';

const port = process.env.PORT ?? '3000';

// Nest tells of each module and route when it starts; here one line says it all.
Logger.overrideLogger(['warn', 'error']);

// Two applications that know each other by a url only: they could run on two machines.
const warehouse = await NestFactory.create(WarehouseModule);
const shop = await NestFactory.create(ShopModule);
for (const app of [warehouse, shop]) app.enableShutdownHooks();
await warehouse.listen(process.env.WAREHOUSE_PORT ?? '3001');
await shop.listen(port);

Logger.overrideLogger(['log', 'warn', 'error']);
Logger.log(`The shop is open on http://localhost:${port}`, 'Shop');
