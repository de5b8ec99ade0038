export type { ConnectionState } from '../hooks/connection-state.js';
export type { RoomStatus } from '../hooks/room-stay.js';
export type { AskedRequest, SocketHooks, UsedPresence, UseRoomOptions } from './socket-hooks.interface.js';
export {
  createSocketHooks,
  socketPlugin,
  useConnectionState,
  usePresence,
  usePush,
  useRequest,
  useRoom,
  useSocketClient,
} from './socket-hooks.js';
