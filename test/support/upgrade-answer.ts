import { RawClient, type RawResponse } from './raw-client.js';

/** What an upgrade is answered with: a status, headers, a body. The connection is ended. */
export async function upgradeAnswer(
  port: number,
  headers: Record<string, string | null> = {},
  path = '/ws',
): Promise<RawResponse> {
  const client = await RawClient.upgrading(port, path, { headers });
  try {
    return await client.response();
  } finally {
    client.reset();
  }
}

/** Only the status. */
export async function upgradeStatus(
  port: number,
  headers: Record<string, string | null> = {},
  path = '/ws',
): Promise<number> {
  return (await upgradeAnswer(port, headers, path)).status;
}
