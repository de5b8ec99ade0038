import { WebSocketClient } from 'nestjs-pxl-websocket/client';

/** A client on Node's own WebSocket: tells each change of its state, and ends once it is connected. */
const client = new WebSocketClient({ url: process.argv[2]!, connectTimeout: 60_000, reconnect: { minDelay: 5 } });
client.onState((change) => process.stdout.write(`${JSON.stringify(change)}\n`));
await client.connect();
client.destroy();
