import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { IgnisMessage } from '../../cluster/bus/ignis-messages.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { Delivery } from '../delivery/delivery.js';
import { RoomMessages } from '../delivery/room-messages.js';

/** Delivers what servers and emitters of Ignis send to the clients of this worker; every worker gets it. */
@Injectable()
export class IgnisInbox {
  constructor(
    private readonly delivery: Delivery,
    private readonly messages: RoomMessages,
    private readonly clients: ClientRegistry,
    private readonly errors: ErrorReporter,
  ) {}

  /** Never throws, since anybody can publish on these channels. */
  receive(message: IgnisMessage): void {
    try {
      this.#deliver(message);
    } catch (error) {
      this.errors.report('What a server of Ignis has sent could not be delivered.', error);
    }
  }

  #deliver({ target, exclude, message }: IgnisMessage): void {
    this.delivery.deliver({ target, exclude, message });
    if (target.kind !== 'rooms') return;
    this.messages.noteUnnumbered(target.roomNames);
    // With Ignis every client is in a room that is called like it, and other servers send to the client by that room.
    const clientIds = target.roomNames.filter((name) => this.clients.get(name)?.rooms.has(name) === false);
    if (clientIds.length > 0) this.delivery.deliver({ target: { kind: 'clients', clientIds }, exclude, message });
  }
}
