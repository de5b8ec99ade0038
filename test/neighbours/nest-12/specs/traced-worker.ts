import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
import { createWsTestApp } from 'nestjs-pxl-websocket/testing';
import { parts } from '../support/traced-app.js';

/** A worker in a process of its own, started by `node --import ./dist/src/tracing.js`; a message of its parent ends it. */
const [redis = ''] = process.argv.slice(2);
const auth = { authenticate: () => ({ userId: 'ada' }) };
const { origin, close } = await createWsTestApp({
  ...parts,
  imports: [PxlWebSocketModule.forRoot({ redis, auth })],
  logger: false,
});
process.once('message', () => {
  void (async () => {
    await close();
    const { sdk } = await import('../src/tracing.js');
    await sdk.shutdown();
    process.disconnect();
  })();
});
process.send?.({ origin });
