import { matchAll, matchByProperty, matchByPropertyPredicate } from 'nestjs-pxl-websocket';
import type { WebSocketSubscriberHandlerContext, WebSocketSubscriberMatcher } from 'nestjs-pxl-websocket';
import { additions } from '../worker-additions.js';

const diary: string[] = [];

const matchers: Record<string, WebSocketSubscriberMatcher | WebSocketSubscriberMatcher[]> = {
  everything: '*',
  text: 'analytics:visits',
  expression: /^analytics:/g,
  predicate: ({ message }: WebSocketSubscriberHandlerContext<{ segment?: string }>) => message.segment === 'vip',
  property: matchByProperty('user.id', 7),
  propertyPredicate: matchByPropertyPredicate('priority', (priority: number) => priority > 5),
  any: [/^sales:/, matchByProperty('segment', 'vip')],
  all: matchAll(/^analytics:/g, matchByProperty('segment', 'vip')),
};

/** A worker whose handlers write down, as `<matcher> <channel>`, what their matchers have picked. */
additions.providers.push({ provide: 'DIARY', useValue: diary });
for (const [name, match] of Object.entries(matchers)) {
  additions.subscribers.push({ name, match, handle: ({ channel }) => void diary.push(`${name} ${channel}`) });
}

await import('./cluster-worker.js');
