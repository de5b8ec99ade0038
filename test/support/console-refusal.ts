import { WebSocket } from 'ws';

/** How a connection is refused: the status of its upgrade, or the code that it is closed with. */
export function refusalOf(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, ['pxl.v1'], { headers });
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(String(response.statusCode));
    });
    socket.on('close', (code) => resolve(String(code)));
    socket.on('error', () => undefined);
  });
}
