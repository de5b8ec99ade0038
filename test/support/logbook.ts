import type { LoggerService } from '@nestjs/common';

/** Everything that was logged: `startApp({ logger: logbook })`. */
export class Logbook implements LoggerService {
  readonly lines: string[] = [];

  log(message: unknown): void {
    this.#write('log', message);
  }

  warn(message: unknown): void {
    this.#write('warn', message);
  }

  error(message: unknown): void {
    this.#write('error', message);
  }

  debug(message: unknown): void {
    this.#write('debug', message);
  }

  /** The lines of one level, each without it. */
  of(level: 'log' | 'warn' | 'error' | 'debug'): string[] {
    return this.lines.filter((line) => line.startsWith(`${level} `)).map((line) => line.slice(level.length + 1));
  }

  #write(level: string, message: unknown): void {
    this.lines.push(`${level} ${String(message)}`);
  }
}
