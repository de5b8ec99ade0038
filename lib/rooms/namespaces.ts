import { Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { RoomRules } from './room-rules.js';

/** A question about a client's namespace that is under way. */
export interface NamespaceQuestion {
  readonly answer: Promise<string>;
  /** Whether it may be answered otherwise meanwhile: it has to be asked again. */
  isDoubtful: boolean;
}

/** In which namespaces clients are by `rooms.namespace`. */
@Injectable()
export class Namespaces {
  readonly #byClient = new WeakMap<ClientSession, string>();
  readonly #questions = new Map<ClientSession, NamespaceQuestion>();

  constructor(private readonly rules: RoomRules) {}

  /** The one in which the client has joined rooms last; undefined: it has joined none. */
  of(client: ClientSession): string | undefined {
    return this.#byClient.get(client);
  }

  set(client: ClientSession, namespace: string): void {
    this.#byClient.set(client, namespace);
  }

  /**
   * Asks in which namespace the client is now. The joins of a list, and of a client that has come back, share one question.
   *
   * @throws as {@link RoomRules.namespaceOf}
   */
  ask(client: ClientSession): string | NamespaceQuestion {
    const known = this.#questions.get(client);
    if (known) return known;
    const answer = this.rules.namespaceOf(client);
    if (typeof answer === 'string') return answer;
    const question: NamespaceQuestion = { answer, isDoubtful: false };
    this.#questions.set(client, question);
    const end = (): void => {
      if (this.#questions.get(client) === question) this.#questions.delete(client);
    };
    void answer.then(end, end);
    return question;
  }

  /** What is being asked about the client may be answered otherwise from now on. */
  doubt(client: ClientSession): void {
    const question = this.#questions.get(client);
    if (!question) return;
    question.isDoubtful = true;
    this.#questions.delete(client);
  }

  /** {@link doubt} about every client. */
  doubtAll(): void {
    for (const client of [...this.#questions.keys()]) this.doubt(client);
  }
}
