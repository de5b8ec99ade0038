import { Injectable } from '@nestjs/common';
import type { WsRoomAuthorizer, WsRoomRequest, WsRoomVerdict } from 'nestjs-pxl-websocket';

/** The lounge is open to everybody, the staff room to admins; the others see the role of who comes in. */
@Injectable()
export class StaffRoomRule implements WsRoomAuthorizer {
  authorize({ client, roomName }: WsRoomRequest): WsRoomVerdict {
    const role = client.user?.userType;
    const isOpen = roomName === 'lounge' || (roomName === 'staff' && role === 'admin');
    return isOpen && { role };
  }
}
