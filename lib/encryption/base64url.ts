/** The bytes of a text in base64url; null when it is not exactly what these bytes are written as. */
export function bytesOf(text: unknown): Buffer | null {
  if (typeof text !== 'string') return null;
  const bytes = Buffer.from(text, 'base64url');
  // Node reads over padding, stray characters and spare bits: one frame would have many spellings.
  return bytes.toString('base64url') === text ? bytes : null;
}
