// A client by `ws`; what it has to do is in ../run.mjs.
import { WebSocket } from 'ws';

const [url, protocols, ...texts] = process.argv.slice(2);
const socket = new WebSocket(url, protocols.split(','));
socket.on('message', (data) => {
  console.log('message', data.length, data.toString().slice(0, 200));
  if (texts.length > 0) socket.send(texts.shift());
});
socket.on('unexpected-response', (_request, { statusCode }) => {
  console.log('refused', statusCode);
  process.exit();
});
socket.on('close', (code, reason) => console.log('close', code, reason.toString()));
