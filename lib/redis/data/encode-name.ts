/**
 * Encodes a name that users choose, for use in a key or channel. Braces would make a hash tag, and control characters could
 * forge lines in a monitor; `%` is encoded so that names stay distinct.
 */
export function encodeName(name: string): string {
  return name.replace(/[%{}\u0000-\u001f\u007f]/g, encodeURIComponent);
}
