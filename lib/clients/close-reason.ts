const MAX_BYTES = 123;

/** Cuts a close reason to the 123 bytes of UTF-8 that a close frame holds (RFC 6455, 5.5), between two characters. */
export function cutReason(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_BYTES) return reason;
  let bytes = 0;
  let cut = '';
  for (const character of reason) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_BYTES) break;
    cut += character;
  }
  return cut;
}
