/**
 * A name that users choose, as a part of a key or channel: braces would be a hash tag, control characters would forge lines
 * of a monitor; `%` keeps the encoded names apart.
 */
export function encodeName(name: string): string {
  return name.replace(/[%{}\u0000-\u001f\u007f]/g, encodeURIComponent);
}
