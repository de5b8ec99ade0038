/**
 * Whether frames may be written to the network socket past ws. Not on Bun (seen in 1.4.5): its own `ws` stands behind
 * the package's name, and a write past it is never continued once the kernel's buffer is full, so the client would hear
 * nothing more. There ws gets the texts, one write each.
 */
export const RAW_WRITES_DRAIN = process.versions.bun === undefined;
