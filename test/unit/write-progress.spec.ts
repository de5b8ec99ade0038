import { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import {
  sentBytesOf,
  showsWriteProgress,
  unsentBytesOf,
  writeOneByOneUnlessShown,
} from '../../lib/transport/outbox/write-progress.js';

/** A network socket of a runtime without libuv: nothing but whole writes are to be seen. */
class Opaque extends Duplex {
  bytesWritten = 0;
  readonly writes: { bytes: number; done: () => void }[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push({ bytes: chunk.length, done });
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.writes.push({ bytes: chunks.reduce((sum, { chunk }) => sum + chunk.length, 0), done });
  }

  send(bytes: number): void {
    this.bytesWritten += bytes;
    this.write(Buffer.alloc(bytes));
  }
}

describe('The progress of writes', () => {
  it('is shown by this Node, with TLS and without', () => {
    expect(showsWriteProgress()).toBe(true);
  });

  it('is that of single writes where nothing else is shown', () => {
    const socket = new Opaque();
    writeOneByOneUnlessShown(socket);
    for (let times = 0; times < 3; times++) socket.send(1_000);
    const sent = (): [number, number] => [
      sentBytesOf(socket, socket.writableLength),
      unsentBytesOf(socket, socket.writableLength),
    ];
    expect(sent()).toEqual([0, 3_000]);
    socket.writes[0]?.done();
    expect(sent()).toEqual([1_000, 2_000]);
    expect(socket.writes.map(({ bytes }) => bytes)).toEqual([1_000, 1_000]);
  });
});
