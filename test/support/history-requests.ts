import type { WsPosition } from 'nestjs-pxl-websocket';
import type { TestClient } from './test-client.js';

/** What a client is told of a room with history that it has joined. */
export interface Verdict {
  position: WsPosition;
  recovered?: boolean;
  reason?: string;
  replayed: number;
}

/** A page of a room's messages. */
export interface HistoryPage {
  messages: { offset: number; data?: unknown }[];
  position: WsPosition;
  more: boolean;
  reason?: string;
}

/** Joins a room by `system.joinRoom`; rejects when that is refused. */
export async function joinRoom(client: TestClient, roomName: string, fields: object = {}): Promise<Verdict> {
  const answer = await client.request('system', 'joinRoom', { roomName, ...fields });
  const { position, recovered, reason, replayed } = (answer as { data: Verdict }).data;
  const isJudged = recovered !== undefined;
  return { position, replayed, ...(isJudged && { recovered }), ...(reason !== undefined && { reason }) };
}

/** The offsets of what waits in the client's queue by now, in order. The server has a route `test.echo`. */
export async function offsetsAt(client: TestClient): Promise<number[]> {
  await client.request('test', 'echo');
  return (client.pending as { offset?: number }[]).flatMap(({ offset }) => offset ?? []);
}

/** The code with which a request of the type `system` is refused. */
export async function refusalOf(client: TestClient, action: string, data: object): Promise<unknown> {
  const refused: unknown = await client.request('system', action, data).then(
    () => new Error('was not refused'),
    (error: unknown) => error,
  );
  return (refused as { code?: unknown }).code ?? refused;
}
