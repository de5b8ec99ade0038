const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A client's text frame, masked once so that sending it again costs no work (RFC 6455, 5.2 and 5.3). */
export function maskedFrame(text) {
  const payload = Buffer.from(text);
  for (let i = 0; i < payload.length; i++) payload[i] ^= MASK[i % 4];
  return Buffer.concat([header(payload.length), MASK, payload]);
}

function header(length) {
  if (length < 126) return Buffer.from([0x81, 0x80 | length]);
  if (length < 65_536) return Buffer.from([0x81, 0xfe, length >> 8, length & 0xff]);
  throw new RangeError(`No frame of ${length} bytes is needed here.`);
}
