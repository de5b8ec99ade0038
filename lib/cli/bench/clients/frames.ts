import type { WsProtocolName } from '../../../protocol/codec.interface.js';
import { readFields } from '../../../protocol/frame-fields.js';
import { eventOfRoute, isSystemEvent, routeOfEvent, SYSTEM_TYPE } from '../../../protocol/route-key.js';
import type { MessageTemplate } from '../options/bench-options.js';
import type { RouteNames } from '../options/flag-values.js';

/** What a frame of the server is, as far as the tool has to know. */
export interface ServerFrame extends RouteNames {
  readonly id: unknown;
  /** The code of a refusal; undefined where it is none. */
  readonly error: string | undefined;
  readonly data: unknown;
  /** Whether it answers a request, as a push never does. */
  readonly isAnswer: boolean;
}

/** A message whose stamp is still to come: what stands before it, between two of them, and behind. */
export type OpenFrame = readonly string[];

/** The text of frames in one of the two envelopes. */
export class Frames {
  constructor(private readonly protocol: WsProtocolName) {}

  /**
   * Fills in everything but the stamp.
   *
   * @param id what answers carry; it may have `{message}` in it
   */
  open({ type, action, data }: MessageTemplate, client: number, room: string, id?: string): OpenFrame {
    const names = this.#names({ type, action });
    const tail = id === undefined ? '' : `,"id":${JSON.stringify(id)}`;
    const filled = data
      .replaceAll('{i}', () => String(client))
      .replaceAll('{room}', () => JSON.stringify(room).slice(1, -1));
    return `{${names},"data":${filled}${tail}}`.split('{message}');
  }

  message({ type, action }: RouteNames, data: unknown, id?: string): string {
    const tail = id === undefined ? '' : `,"id":${JSON.stringify(id)}`;
    return `{${this.#names({ type, action })},"data":${JSON.stringify(data)}${tail}}`;
  }

  /** How a push with these names begins, as this library's servers write it. */
  headOf(names: RouteNames): string {
    return `{${this.#names(names)},`;
  }

  /** Null for what is no message. */
  read(text: string): ServerFrame | null {
    const fields = readFields(text);
    if (typeof fields === 'string') return null;
    const { type, action, event, id, data, response } = fields;
    const isAnswer = id !== undefined || response !== undefined;
    if (typeof type === 'string' && typeof action === 'string') {
      const isError = type === 'error' && action === 'message';
      return { type, action, id, data: data ?? response, isAnswer, error: isError ? codeOf(data) : undefined };
    }
    if (typeof event !== 'string') return null;
    const names = isSystemEvent(event) ? { type: SYSTEM_TYPE, action: event } : routeOfEvent(event);
    return { ...names, id, data, isAnswer, error: event === 'error' ? codeOf(data) : undefined };
  }

  #names({ type, action }: RouteNames): string {
    return this.protocol === 'pxl'
      ? `"type":${JSON.stringify(type)},"action":${JSON.stringify(action)}`
      : `"event":${JSON.stringify(eventOfRoute(type, action))}`;
  }
}

function codeOf(data: unknown): string {
  const code = typeof data === 'object' && data !== null && 'code' in data ? data.code : undefined;
  return typeof code === 'string' ? code : 'without a code';
}
