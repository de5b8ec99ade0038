import { ConsoleLogger, Logger } from '@nestjs/common';
import { completed, withFields, type WsLogFields } from './log-fields.js';

type Level = 'log' | 'warn' | 'error' | 'debug';

/** What follows the sentence: the fields for a logger that takes them, and the stack of an error. */
type Rest = (WsLogFields | string)[];

/**
 * The log of the library: Nest's `Logger`. Lines have fields, which a logger gets as an object after the sentence where it is
 * known to take one, and by `wsLogFields()` otherwise. If an application has replaced Nest's logger by one that throws, the
 * exception ends nothing, and the line goes to Nest's own console logger.
 */
export class ModuleLogger {
  readonly #logger: Logger;

  constructor(private readonly context = 'PxlWebSocket') {
    this.#logger = new Logger(context);
  }

  log(line: string, fields?: WsLogFields): void {
    this.#write('log', line, fields);
  }

  warn(line: string, fields?: WsLogFields): void {
    this.#write('warn', line, fields);
  }

  error(line: string, fields?: WsLogFields, stack?: string): void {
    this.#write('error', line, fields, stack);
  }

  debug(line: string, fields?: WsLogFields): void {
    this.#write('debug', line, fields);
  }

  #write(level: Level, line: string, given: WsLogFields = {}, stack?: string): void {
    const fields = completed(given);
    const end = stack === undefined ? [] : [stack];
    try {
      const isWanted = Object.keys(fields).length > 0 && takesFields(this.#logger.localInstance);
      const rest: Rest = isWanted ? [fields, ...end] : end;
      withFields(fields, () => this.#logger[level](line, ...rest));
    } catch {
      this.#writeToConsole(level, line, end);
    }
  }

  #writeToConsole(level: Level, line: string, rest: Rest): void {
    try {
      new ConsoleLogger(this.context)[level](line, ...rest);
    } catch {
      // There is no other log to write to.
    }
  }
}

/** Nest 12 collects objects after the sentence (`structuredParams`); Nest 11 prints each as a line of its own. */
const CONSOLE_TAKES_FIELDS = 'stringifyParams' in ConsoleLogger.prototype;

/**
 * Whether a logger takes an object after the sentence: Nest's console logger of version 12, unless it was told not to, and any
 * that says so by `structuredParams: true`, as `NativeLogger` of nestjs-pino does. Others would print it as a line, or take it
 * for the context.
 */
function takesFields(logger: unknown): boolean {
  if (typeof logger !== 'object' || logger === null) return false;
  // With `bufferLogs` nobody knows yet which logger it will be.
  if (Reflect.get(Logger, 'isBufferAttached') === true) return false;
  if (!(logger instanceof ConsoleLogger)) return Reflect.get(logger, 'structuredParams') === true;
  const options: unknown = Reflect.get(logger, 'options');
  const isOff = typeof options === 'object' && options !== null && Reflect.get(options, 'structuredParams') === false;
  return CONSOLE_TAKES_FIELDS && !isOff;
}
