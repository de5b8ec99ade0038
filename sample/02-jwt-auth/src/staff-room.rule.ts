import { Injectable } from '@nestjs/common';
import type { RoomAuthorizer, RoomRequest, RoomVerdict } from 'nestjs-pxl-websocket';

/** The lounge is open to everybody, the staff room to admins; the others see the role of who comes in. */
@Injectable()
export class StaffRoomRule implements RoomAuthorizer {
  authorize({ client, roomName }: RoomRequest): RoomVerdict {
    const role = client.user?.userType;
    const isOpen = roomName === 'lounge' || (roomName === 'staff' && role === 'admin');
    return isOpen && { role };
  }
}
