import type { Socket } from 'node:net';

type Write = Socket['_write'];
type Writev = NonNullable<Socket['_writev']>;

/** Counts what a socket hands to the operating system: one for a write, and one for everything that was corked. */
export class WriteCounter {
  count = 0;

  constructor(socket: Socket) {
    const { _write, _writev } = socket;
    socket._write = (...args: Parameters<Write>) => {
      this.count++;
      _write.apply(socket, args);
    };
    socket._writev = (...args: Parameters<Writev>) => {
      this.count++;
      _writev?.apply(socket, args);
    };
  }
}
