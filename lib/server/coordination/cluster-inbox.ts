import { Injectable } from '@nestjs/common';
import { spanOf } from '../../cluster/bus/envelope-spans.js';
import type { WsReceivedEnvelope } from '../../cluster/bus/envelope.js';
import { ClusterCalls, type CallHandler } from '../../cluster/calls/cluster-calls.js';
import { PeerCheck } from '../../cluster/calls/peer-check.js';
import { ClusterEvents } from '../../cluster/events/cluster-events.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { Tracing } from '../../tracing/tracing.js';
import { RoomMessages } from '../delivery/room-messages.js';
import { CallAnswers } from './call-answers.js';
import { ClusterCommands } from './cluster-commands.js';

/** Takes the envelopes of other workers and hands each to the part that handles its kind. */
@Injectable()
export class ClusterInbox {
  readonly #answer: CallHandler = (call, undoable) => this.answers.answer(call, undoable);

  constructor(
    private readonly messages: RoomMessages,
    private readonly commands: ClusterCommands,
    private readonly events: ClusterEvents,
    private readonly calls: ClusterCalls,
    private readonly answers: CallAnswers,
    private readonly peers: PeerCheck,
    private readonly errors: ErrorReporter,
    private readonly tracing: Tracing,
  ) {}

  /** The bus has ended: no answers will come, nor messages. */
  end(): void {
    this.calls.end();
    this.messages.end();
  }

  /** Never throws: an envelope may come from another version of this library, or from a stranger. */
  receive(envelope: WsReceivedEnvelope): void {
    try {
      if (envelope.trace && this.tracing.isOn) this.#dispatchTraced(envelope);
      else this.#dispatch(envelope);
    } catch (error) {
      this.errors.report('What another worker has sent could not be handled.', error);
    }
  }

  /** One span for all recipients. Events and calls have theirs where their handlers run. */
  #dispatchTraced(envelope: WsReceivedEnvelope): void {
    const { content, target, trace } = envelope;
    const isMessage = content.kind === 'message';
    if (!isMessage && content.kind !== 'command') {
      this.#dispatch(envelope);
      return;
    }
    const { name, start } = spanOf(isMessage ? 'deliver' : 'execute', target, trace);
    this.tracing.within(name, start, () => this.#dispatch(envelope));
  }

  #dispatch(envelope: WsReceivedEnvelope): void {
    switch (envelope.content.kind) {
      case 'message':
        this.messages.receive(envelope);
        break;
      case 'command':
        this.commands.receive(envelope);
        break;
      case 'event':
        this.events.receive(envelope);
        break;
      case 'call':
        this.calls.receive(envelope, this.#answer);
        break;
      case 'answer':
        if (envelope.origin !== null) this.peers.answered(envelope.origin);
        this.calls.receive(envelope, this.#answer);
        break;
    }
  }
}
