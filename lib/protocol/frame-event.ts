import type { Codec } from './codec.interface.js';
import { eventOfRoute, routeOfEvent } from './route-key.js';

/** The event name of a value without a name. */
const UNNAMED = 'message';

type Frame = Readonly<Record<string, unknown>>;

/** A frame's text as an event, in the form that outbound transformers see for both envelopes. */
export class FrameEvent {
  readonly event: string;
  readonly data: unknown;
  /** Null when the text is not an object with a name. */
  readonly #frame: Frame | null;
  /** False when the text is not JSON, since the application sent it as it is. */
  readonly #isJson: boolean;

  constructor(
    private readonly codec: Codec,
    text: string,
  ) {
    const { value, isJson } = parse(text);
    this.#frame = isNamed(value) ? value : null;
    this.#isJson = isJson;
    this.event = this.#frame ? eventOf(this.#frame) : UNNAMED;
    this.data = this.#frame ? this.#frame[dataField(this.#frame)] : value;
  }

  /**
   * Returns the text of the frame with another event and other data. The other fields (`id`, `callId`, `done`) stay.
   *
   * @throws what JSON.stringify throws
   */
  rewrite(event: string, data: unknown): string | undefined {
    const frame = this.#frame;
    if (!frame && event !== UNNAMED) return this.codec.encodePush({ event, data });
    if (!frame) return this.#isJson || typeof data !== 'string' ? this.codec.encodePush(data) : data;
    const names = 'event' in frame ? { event } : routeOfEvent(event);
    return JSON.stringify({ ...frame, ...names, [dataField(frame)]: data });
  }
}

function parse(text: string): { readonly value: unknown; readonly isJson: boolean } {
  try {
    return { value: JSON.parse(text), isJson: true };
  } catch {
    return { value: text, isJson: false };
  }
}

function isNamed(value: unknown): value is Frame {
  if (typeof value !== 'object' || value === null) return false;
  const { type, action, event } = value as Frame;
  return typeof event === 'string' || (typeof type === 'string' && typeof action === 'string');
}

function eventOf({ event, type, action }: Frame): string {
  return typeof event === 'string' ? event : eventOfRoute(String(type), String(action));
}

function dataField(frame: Frame): 'data' | 'response' {
  return 'response' in frame ? 'response' : 'data';
}
