import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { WsError } from '../errors/ws.error.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { WsPresenceRules } from '../options/rooms/presence.options.js';
import type { AbsentClient, SharedPresence, SharedReturn } from './presence-entry.js';
import type {
  Greeting,
  MembersQuery,
  PresenceListener,
  PresentMember,
  RoomPresence,
} from './room-presence.interface.js';

/** Who is in the rooms with presence, on all workers, as far as this one knows. */
@Injectable()
export class Presences implements RoomPresence {
  readonly #listeners: PresenceListener[] = [];

  constructor(@Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions) {}

  get isOn(): boolean {
    return this.options.rooms.presence !== undefined;
  }

  rulesOf(roomName: string): WsPresenceRules | null {
    return this.options.rooms.presence?.of(roomName) ?? null;
  }

  greet(_client: ClientSession, _secret: string | undefined): Greeting {
    return {};
  }

  returnOf(_client: ClientSession): SharedReturn {
    return {};
  }

  sharedOf(_client: ClientSession, _roomName: string): SharedPresence | undefined {
    return undefined;
  }

  untilOf(_clientId: string, _roomName: string): number | undefined {
    return undefined;
  }

  absentOf(_clientId: string): AbsentClient | undefined {
    return undefined;
  }

  connected(_clientId: string, _userId: string | undefined, _shared: SharedReturn): void {}

  entered(_clientId: string, _roomName: string, _username: string | undefined, _shared: SharedPresence): void {}

  exited(_clientId: string, _roomName: string, _until: number | undefined): void {}

  identified(_clientId: string, _userId: string): void {}

  disconnected(_clientId: string): void {}

  absent(_client: AbsentClient): void {}

  members(_roomName: string, _query?: MembersQuery): { members: PresentMember[]; more: boolean } {
    throw new WsError('NOT_FOUND', 'The room has no presence.');
  }

  count(_roomName: string): number {
    throw new WsError('NOT_FOUND', 'The room has no presence.');
  }

  memberIdOf({ clientId }: ClientSession, _roomName: string): string {
    return clientId;
  }

  stateOf(_client: ClientSession, _roomName: string): unknown {
    return undefined;
  }

  setState(_client: ClientSession, _roomName: string, _state: unknown): void {
    throw new WsError('NOT_FOUND', 'The room has no presence.');
  }

  listen(listener: PresenceListener): void {
    this.#listeners.push(listener);
  }
}
