import type { Type } from '@nestjs/common';
import { isClass } from './checks/class-checks.js';
import { isGroup, type OptionChecks } from './checks/option-checks.js';

/** Which methods the class has is checked once its instance exists. */
export function resolveBroadcaster(options: OptionChecks): Type<object> | undefined {
  const broadcaster = options.raw('broadcaster');
  if (broadcaster === undefined) return undefined;
  if (!isClass(broadcaster)) options.refuse('broadcaster', 'a class that implements WsBroadcaster');
  if (options.raw('redis') !== undefined) {
    options.refuse('broadcaster', 'left out where there is a redis, which brings its own', 'given beside it');
  }
  const cluster = options.raw('cluster');
  if (isGroup(cluster) && cluster.secret !== undefined) {
    options.group('cluster').refuse('secret', 'left out where there is a broadcaster, which signs by itself', 'given');
  }
  return broadcaster as Type<object>;
}
