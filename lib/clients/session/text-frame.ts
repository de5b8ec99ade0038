import type { SharedFrame } from './client-outbox.interface.js';

const FIN_TEXT = 0x81;

/** A text frame whose bytes are made when they are first needed, and shared by all sockets that it goes to. */
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
  const frame = Buffer.allocUnsafe(frameSize(length));
  writeFrame(frame, 0, text, length);
  return frame;
}

/** The text in a frame that {@link frameText} has made. */
export function textOfFrame(frame: Buffer): string {
  const length = frame[1] ?? 0;
  return frame.toString('utf8', length < 126 ? 2 : length === 126 ? 4 : 10);
}

/** The bytes of a frame with a payload of `length` bytes. */
export function frameSize(length: number): number {
  return length + (length < 126 ? 2 : length < 65_536 ? 4 : 10);
}

/** The header of a text frame with `length` bytes of payload, one character for each byte (latin1). */
export function frameHeader(length: number): string {
  if (length < 126) return String.fromCharCode(FIN_TEXT, length);
  if (length < 65_536) return String.fromCharCode(FIN_TEXT, 126, length >> 8, length & 255);
  // A string is shorter than 2^32 bytes in every Node, so the upper half of the 64-bit length is always zero.
  const bytes = [length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  return String.fromCharCode(FIN_TEXT, 127, 0, 0, 0, 0, ...bytes);
}

/** Writes the frame of a text of `length` bytes; returns where the next one begins. */
export function writeFrame(target: Buffer, start: number, text: string, length: number): number {
  const at = start + target.write(frameHeader(length), start, 'latin1');
  target.write(text, at);
  return at + length;
}
