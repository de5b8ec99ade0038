import type { ClientSession } from '../clients/session/client-session.js';
import type { ErrorReporter } from '../errors/error-reporter.js';
import { isUnexpected } from '../errors/exception-mapper.js';
import { kindOf } from '../errors/kind-of.js';
import { WsError } from '../errors/ws.error.js';
import type { RoomNames } from '../rooms/room-names.js';
import type { Runtime } from '../runtime/runtime.js';
import { logSubject } from '../clients/session/session-context.js';

/** Asks `rooms.mayRead`. */
export class ReadRule {
  constructor(
    private readonly names: RoomNames,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
  ) {}

  /**
   * How many of the room's newest messages the client may read; Infinity where there is no rule.
   *
   * @throws WsError TIMEOUT after `timeouts.hook`; what the rule throws
   */
  async allowance(session: ClientSession, roomName: string): Promise<number> {
    const { rooms, timeouts } = session.options;
    const { mayRead } = rooms;
    if (!mayRead) return Infinity;
    const { client } = session;
    const what = 'rooms.mayRead failed.';
    const late = (): WsError => new WsError('TIMEOUT', 'The room did not answer in time.');
    const lost = (error: unknown): void => this.errors.report(what, error, logSubject(session));
    const asked = new Promise<unknown>((resolve) => resolve(mayRead(this.names.requestOf(client, roomName))));
    const answer = await this.runtime.within(timeouts.hook, asked, late, lost);
    if (answer === true) return Infinity;
    if (answer === false) return 0;
    if (typeof answer === 'number' && answer >= 0) return Math.floor(answer);
    this.errors.report(
      what,
      new Error(`It has answered ${kindOf(answer)}, not true, false or a number.`),
      logSubject(session),
    );
    return 0;
  }

  /** As {@link allowance} for a join, which a rule that fails does not end: nothing may be read then. */
  async allowanceAtJoin(session: ClientSession, roomName: string): Promise<number> {
    try {
      return await this.allowance(session, roomName);
    } catch (error) {
      if (isUnexpected(error)) this.errors.report('rooms.mayRead failed.', error, logSubject(session));
      return 0;
    }
  }
}
