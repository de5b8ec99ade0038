import { resolveRedis, type WsRedisOption } from '../../lib/options/redis.options.js';
import { OptionChecks } from '../../lib/options/checks/option-checks.js';
import type { Secrets } from '../../lib/redis/messages/message-seal.js';
import { RedisLink } from '../../lib/redis/link/redis-link.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { until } from './until.js';

/** How a test's link differs from a usual one. */
export interface TestLinkOptions {
  redis: WsRedisOption;
  prefix?: string;
  name?: string;
  /** Default: 100 ms, a thirtieth of the usual. */
  probe?: number;
  /** Default: nothing is signed. */
  secrets?: Secrets;
  /** Default: the real one. */
  runtime?: Runtime;
}

/** A {@link RedisLink} that writes down what it hears and says. */
export class TestLink {
  readonly link: RedisLink;
  /** `channel payload` of each message. */
  readonly heard: string[] = [];
  /** What was logged, each with its level before it. */
  readonly lines: string[] = [];
  /** What it does with a message. */
  hear = (channel: string, payload: Buffer): void => void this.heard.push(`${channel} ${payload.toString()}`);

  constructor({ redis, prefix = 'pxl', name = 'one', probe = 100, secrets, runtime = new Runtime() }: TestLinkOptions) {
    this.link = new RedisLink(
      {
        redis: resolveRedis(new OptionChecks('', { redis }))!,
        prefix,
        name,
        probe,
        secrets,
        report: (level, line) => this.lines.push(`${level} ${line}`),
        onMessage: (channel, payload) => this.hear(channel, payload),
      },
      runtime,
    );
    this.link.start();
  }

  /** Resolves once the link is ready. */
  ready(): Promise<void> {
    return until('the link is ready', () => this.link.isReady);
  }
}
