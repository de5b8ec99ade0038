import { Injectable } from '@nestjs/common';
import { ClientQueries } from './client-queries.js';
import { RoomMembers } from './room-members.js';
import { UserQueries } from './user-queries.js';

/** Who is there, on all workers. */
@Injectable()
export class Directory {
  constructor(
    readonly clients: ClientQueries,
    readonly users: UserQueries,
    readonly members: RoomMembers,
  ) {}
}
