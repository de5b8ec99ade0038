import type { SharedFrame } from '../clients/client-socket.interface.js';

const FIN_TEXT = 0x81;

/** A text frame whose bytes are made when they are first needed, and then shared by everyone it goes to. */
export class TextFrame implements SharedFrame {
  #bytes: Buffer | null = null;

  constructor(readonly text: string) {}

  get bytes(): Buffer {
    return (this.#bytes ??= frameText(this.text));
  }
}

/** Frames a text message: header and payload in one buffer, unmasked as servers write (RFC 6455, 5.2). */
export function frameText(text: string): Buffer {
  const length = Buffer.byteLength(text);
  let frame: Buffer;
  if (length < 126) {
    frame = Buffer.allocUnsafe(2 + length);
    frame[1] = length;
    frame.write(text, 2);
  } else if (length < 65_536) {
    frame = Buffer.allocUnsafe(4 + length);
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
    frame.write(text, 4);
  } else {
    frame = Buffer.allocUnsafe(10 + length);
    frame[1] = 127;
    // A string is shorter than 2^32 bytes in every Node, so the upper half of the 64-bit length is always zero.
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
    frame.write(text, 10);
  }
  frame[0] = FIN_TEXT;
  return frame;
}
