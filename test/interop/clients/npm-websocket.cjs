// A client by the npm package `websocket`; what it has to do is in ../run.mjs.
const { createRequire } = require('node:module');
const { join } = require('node:path');

const { client: WebSocketClient } = createRequire(join(process.env.PXL_NPM, 'package.json'))('websocket');
const [url, protocols, ...texts] = process.argv.slice(2);
const client = new WebSocketClient();
client.on('connectFailed', (error) => console.log('refused', error.message.split('\n')[0]));
client.on('connect', (socket) => {
  socket.on('message', ({ utf8Data: text }) => {
    console.log('message', Buffer.byteLength(text), text.slice(0, 200));
    if (texts.length > 0) socket.sendUTF(texts.shift());
  });
  socket.on('error', (error) => console.log('error', error.message));
  socket.on('close', (code, reason) => console.log('close', code, reason));
});
client.connect(url, protocols.split(','));
