import { Injectable } from '@nestjs/common';
import type { WsClient } from '../clients/ws-client.js';
import { ModuleLogger } from '../errors/module-logger.js';

/** Whether clients may ask to join rooms: the options say, and once the log, when one asks that may not. */
@Injectable()
export class RoomOpening {
  readonly #logger = new ModuleLogger();
  readonly #told = new Set<string>();

  isOpenTo({ options, path }: WsClient): boolean {
    if (options.rooms.open) return true;
    if (!this.#told.has(path)) {
      this.#told.add(path);
      this.#logger.log(
        `A client of ${path} has asked to join a room and was refused: clients join by themselves where rooms.open is ` +
          'true, or where rooms.authorize decides about it.',
      );
    }
    return false;
  }
}
