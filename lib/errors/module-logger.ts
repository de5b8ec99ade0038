import { ConsoleLogger, Logger } from '@nestjs/common';

type Level = 'log' | 'warn' | 'error' | 'debug';

/**
 * The log of the library: Nest's `Logger`. If an application has replaced it by one that throws, the exception ends nothing,
 * and the line goes to Nest's own console logger.
 */
export class ModuleLogger {
  readonly #logger: Logger;

  constructor(private readonly context = 'PxlWebSocket') {
    this.#logger = new Logger(context);
  }

  log(line: string): void {
    this.#write('log', line);
  }

  warn(line: string): void {
    this.#write('warn', line);
  }

  error(line: string, stack?: string): void {
    this.#write('error', line, stack);
  }

  debug(line: string): void {
    this.#write('debug', line);
  }

  #write(level: Level, ...line: [text: string, stack?: string]): void {
    try {
      this.#logger[level](...line);
    } catch {
      this.#writeToConsole(level, line);
    }
  }

  #writeToConsole(level: Level, line: [text: string, stack?: string]): void {
    try {
      new ConsoleLogger(this.context)[level](...line);
    } catch {
      // There is no other log to write to.
    }
  }
}
