import { OutboundMessage } from '../clients/outbound-message.js';
import type { ClientSession } from '../clients/session/client-session.js';

/** Bytes of the push, its room's names not counted. */
const FRAME = 128;

/** The most bytes that the push has beside the fields of its data. */
export function pushFrame(roomName: string): number {
  return FRAME + 2 * Buffer.byteLength(JSON.stringify(roomName));
}

/** The push `room.presence` for all members of a room: encoded once for each codec that one of them uses. */
export class PresencePush {
  readonly #message: OutboundMessage;
  #named: OutboundMessage | null = null;

  /** @param fields of its data, as JSON */
  constructor(
    private readonly roomName: string,
    fields: string,
  ) {
    const data = `{"roomName":${JSON.stringify(roomName)},${fields}}`;
    this.#message = OutboundMessage.ofText(`{"type":"room","action":"presence","data":${data}}`);
  }

  sendTo(client: ClientSession): void {
    const message = client.options.rooms.named ? (this.#named ??= this.#message.inRoom(this.roomName)) : this.#message;
    client.sendFrame(message.frameFor(client.codec));
  }
}
