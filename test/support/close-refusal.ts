import { TestClient } from './test-client.js';

/** How an upgrade is refused to a client that reads close codes: the code, what its reason tells, the subprotocol. */
export async function closeRefusal(
  url: string,
  { codec = 'pxl.v1', origin }: { codec?: string; origin?: string } = {},
): Promise<{ code: number; told: unknown; protocol: string; pending: number }> {
  const client = await TestClient.open(url, { protocols: [codec, 'pxl.refusals'], origin });
  const { code, reason } = await client.closed;
  if (Buffer.byteLength(reason) > 123) throw new Error(`The reason has ${Buffer.byteLength(reason)} bytes.`);
  return { code, told: JSON.parse(reason), protocol: client.socket.protocol, pending: client.pending.length };
}
