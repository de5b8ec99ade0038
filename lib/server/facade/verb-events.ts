import { Injectable } from '@nestjs/common';
import { ClusterEvents } from '../../cluster/events/cluster-events.js';
import { toJson } from '../../cluster/bus/json-text.js';
import { ErrorReporter } from '../../errors/error-reporter.js';

/** Tells subscribers of calls of the facade's verbs. */
@Injectable()
export class VerbEvents {
  constructor(
    private readonly events: ClusterEvents,
    private readonly errors: ErrorReporter,
  ) {}

  /**
   * Publishes an event to the subscribers of every worker. A failure on the way to other workers is reported.
   *
   * @throws WsError BAD_MESSAGE when the message has no JSON form
   */
  publish(channel: string, message: unknown): void {
    this.events
      .publish(channel, message)
      .catch((error: unknown) => this.errors.report('An event did not reach other workers.', error));
  }

  /**
   * Publishes an event to the subscribers of this worker.
   *
   * @param isResponsible whether subscribers that act on one worker only act on this event here
   * @throws WsError BAD_MESSAGE when the message has no JSON form
   */
  tell(channel: string, message: unknown, isResponsible: boolean): void {
    const text = toJson(message);
    if (this.events.isHeard) this.events.tell({ channel, message: JSON.parse(text), isResponsible });
  }
}
