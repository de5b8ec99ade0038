import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { createWsTestApp } from 'nestjs-pxl-websocket/testing';
import { AggregatorRegistry, register } from 'prom-client';

// A worker of node:cluster, which tells the primary process its numbers when that asks.
new AggregatorRegistry();
const app = await createWsTestApp({
  logger: false,
  imports: [PxlWebSocketModule.forRoot({ metrics: { registry: register } })],
});
process.send?.({ url: app.url() });
