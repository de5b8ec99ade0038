import type { TraceEvent, TraceSubject } from '../../protocol/inspection.js';
import type { Runtime } from '../../runtime/runtime.js';
import { SlidingSecond } from '../../runtime/sliding-second.js';
import type { ClientSession } from '../session/client-session.js';

/** Events of one trace that a worker tells per second. */
export const TRACED_PER_SECOND = 50;
/** Characters of the longest payload. */
const LONGEST = 2_000;
/** What the library itself says there holds tokens and secrets. */
const SECRET = /^(?:system|auth):/;

/** What a trace has to tell since it was asked last. */
export interface TracedEvents {
  readonly events: readonly TraceEvent[];
  /** How many more there were. */
  readonly omitted: number;
}

/** Who follows whom. */
export interface TraceRequest {
  readonly traceId: string;
  readonly subject: TraceSubject;
  /** Whether messages are told with their text. */
  readonly payloads: boolean;
}

/** What happens on this worker to one user, client or room, until it is asked for. */
export class LiveTrace {
  readonly #budget: SlidingSecond;
  #events: TraceEvent[] = [];
  #omitted = 0;

  constructor(
    private readonly request: TraceRequest,
    private readonly workerId: string,
    private readonly runtime: Runtime,
  ) {
    this.#budget = new SlidingSecond(TRACED_PER_SECOND, runtime);
  }

  /** Whether everything that the client says and hears is followed. */
  follows({ clientId, user }: ClientSession): boolean {
    const { subject } = this.request;
    if (subject.kind === 'client') return subject.clientId === clientId;
    return subject.kind === 'user' && subject.userId === user?.userId;
  }

  followsRoom(key: string): boolean {
    const { subject } = this.request;
    return subject.kind === 'room' && subject.room === key;
  }

  /**
   * Adds an event, unless there are too many.
   *
   * @param describe is not called for those
   */
  add(kind: TraceEvent['kind'], session: ClientSession | null, describe: () => Partial<TraceEvent>): void {
    if (this.#budget.isSpent) {
      this.#omitted++;
      return;
    }
    this.#budget.take();
    const { payload, ...described } = describe();
    const isShown = this.request.payloads && payload !== undefined && !SECRET.test(described.name ?? '');
    this.#events.push({
      at: this.runtime.now(),
      workerId: this.workerId,
      kind,
      clientId: session?.clientId,
      userId: session?.user?.userId,
      ...described,
      size: payload === undefined ? undefined : Buffer.byteLength(payload),
      payload: isShown ? payload.slice(0, LONGEST) : undefined,
    });
  }

  take(): TracedEvents {
    const [events, omitted] = [this.#events, this.#omitted];
    [this.#events, this.#omitted] = [[], 0];
    return { events, omitted };
  }
}
