import { randomUUID } from 'node:crypto';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsError, WsRoute, type WsClient } from 'nestjs-pxl-websocket';

interface ChatMessage {
  id: string;
  roomName: string;
  from: string;
  text: string;
  sentAt: string;
}

/** What a client may send: of its fields nothing is known before it was looked at. */
type Request<Field extends string> = Partial<Record<Field, unknown>> | null | undefined;

@WebSocketGateway()
export class ChatGateway {
  constructor(private readonly sockets: WebSocketService) {}

  /** The others in the room get the message; its author gets it too, as the acknowledgement. */
  @WsRoute('chat', 'send')
  async send(
    @ConnectedSocket() client: WsClient,
    @MessageBody() data: Request<'id' | 'roomName' | 'text'>,
  ): Promise<ChatMessage> {
    const message: ChatMessage = {
      id: messageId(data?.id),
      roomName: ownRoom(client, data?.roomName),
      from: client.user?.userId ?? 'Somebody',
      text: messageText(data?.text),
      sentAt: new Date().toISOString(),
    };
    const push = { type: 'chat', action: 'message', data: message };
    await this.sockets.sendToRooms([message.roomName], push, { exclude: [client.clientId] });
    return message;
  }
}

function ownRoom(client: WsClient, roomName: unknown): string {
  if (typeof roomName === 'string' && client.rooms.has(roomName)) return roomName;
  throw new WsError('VALIDATION_FAILED', 'You are not in this room.');
}

function messageText(value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text.length >= 1 && text.length <= 500) return text;
  throw new WsError('VALIDATION_FAILED', 'A message has between 1 and 500 characters.');
}

/** The page chooses the id, so that a message that is sent again after a lost answer is known as the same one. */
function messageId(value: unknown): string {
  if (value === undefined) return randomUUID();
  if (typeof value === 'string' && value.length >= 1 && value.length <= 64) return value;
  throw new WsError('VALIDATION_FAILED', 'The id of a message has between 1 and 64 characters.');
}
