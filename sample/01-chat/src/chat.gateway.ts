import { randomUUID } from 'node:crypto';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, RoomManager, WebSocketService, WsError, WsRoute } from 'nestjs-pxl-websocket';
import type { ClientEntry, WsClient } from 'nestjs-pxl-websocket';

interface Member {
  clientId: string;
  name: string;
}

interface ChatMessage {
  id: string;
  roomName: string;
  from: Member;
  text: string;
  sentAt: string;
}

interface Typing {
  roomName: string;
  from: Member;
  typing: boolean;
}

/** What a client may send: of its fields nothing is known before it was looked at. */
type Request<Field extends string> = Partial<Record<Field, unknown>> | null | undefined;

@WebSocketGateway()
export class ChatGateway {
  constructor(
    private readonly sockets: WebSocketService,
    private readonly rooms: RoomManager,
    private readonly clients: ClientManager,
  ) {}

  /** The others in the room get the message; its author gets it too, as the acknowledgement. */
  @WsRoute('chat', 'send')
  async send(
    @ConnectedSocket() client: WsClient,
    @MessageBody() data: Request<'id' | 'roomName' | 'text'>,
  ): Promise<ChatMessage> {
    const message: ChatMessage = {
      id: messageId(data?.id),
      roomName: ownRoom(client, data?.roomName),
      from: member(client),
      text: messageText(data?.text),
      sentAt: new Date().toISOString(),
    };
    await this.toOthers(client, 'message', message);
    return message;
  }

  @WsRoute('chat', 'typing')
  async typing(
    @ConnectedSocket() client: WsClient,
    @MessageBody() data: Request<'roomName' | 'typing'>,
  ): Promise<void> {
    const roomName = ownRoom(client, data?.roomName);
    await this.toOthers(client, 'typing', { roomName, from: member(client), typing: data?.typing === true });
  }

  @WsRoute('chat', 'members')
  members(@ConnectedSocket() client: WsClient, @MessageBody() data: Request<'roomName'>): Member[] {
    const roomName = ownRoom(client, data?.roomName);
    return this.rooms
      .getRoomClients({ roomName })
      .map((clientId) => this.clients.getClient({ clientId }))
      .filter((entry) => entry != null)
      .map(member);
  }

  private toOthers(client: WsClient, action: string, data: ChatMessage | Typing): Promise<void> {
    return this.sockets.sendToRooms([data.roomName], { type: 'chat', action, data }, { exclude: [client.clientId] });
  }
}

function member({ clientId, user }: ClientEntry): Member {
  return { clientId, name: user?.userId ?? 'Somebody' };
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
