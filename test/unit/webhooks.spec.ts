import { describe, expect, it } from '@jest/globals';
import { PxlWebSocketOptionsError, verifyWebhook, WsWebhookVerificationError } from 'nestjs-pxl-websocket';
import { keyOf } from '../../lib/options/observability/webhook-secrets.js';
import { readRetryAfter, waitAfter, WebhookFailure } from '../../lib/webhooks/webhook-failure.js';
import { signWebhook } from '../../lib/webhooks/webhook-signature.js';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const BODY = '{"type":"userConnected","timestamp":"2026-01-01T00:00:00.000Z","data":{"userId":"7"}}';

/** A request as a receiver gets it, sent `ago` ms before now. */
function request(ago = 0, secrets = [SECRET], body = BODY): { headers: Record<string, string>; body: string } {
  const [id, timestamp] = ['msg_1', String(Math.floor((Date.now() - ago) / 1_000))];
  const signature = signWebhook(
    { id, timestamp, body },
    secrets.flatMap((secret) => keyOf(secret) ?? []),
  );
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  return { headers, body };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof WsWebhookVerificationError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('The signature', () => {
  it('is that of the examples of Standard Webhooks', () => {
    const webhook = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: '1614265330', body: '{"test": 2432232314}' };
    expect(signWebhook(webhook, [keyOf(SECRET)!])).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('is made by each key', () => {
    const { headers } = request(0, [OTHER, SECRET]);
    expect(headers['webhook-signature']!.split(' ')).toHaveLength(2);
  });
});

describe('verifyWebhook', () => {
  it('reads what was signed with one of the secrets, as text and as bytes, by headers of Node and of fetch', () => {
    const { headers, body } = request(0, [OTHER, SECRET]);
    const event = { type: 'userConnected', timestamp: '2026-01-01T00:00:00.000Z', data: { userId: '7' } };
    expect(verifyWebhook(headers, body, SECRET)).toEqual(event);
    expect(verifyWebhook(headers, Buffer.from(body), ['whsec_' + 'A'.repeat(32), OTHER])).toEqual(event);
    expect(verifyWebhook(new Headers(headers), body, SECRET)).toEqual(event);
  });

  it.each<[what: string, code: string, change: (given: ReturnType<typeof request>) => void]>([
    ['a body that was changed', 'BAD_SIGNATURE', (given) => (given.body = given.body.replace('7', '8'))],
    ['an id that was changed', 'BAD_SIGNATURE', ({ headers }) => (headers['webhook-id'] = 'msg_2')],
    ['a time that was changed', 'BAD_SIGNATURE', ({ headers }) => changeTime(headers)],
    ['another scheme', 'BAD_SIGNATURE', ({ headers }) => (headers['webhook-signature'] = 'v1a,AAAA')],
    ['a signature that is none', 'BAD_SIGNATURE', ({ headers }) => (headers['webhook-signature'] = 'v1,ä')],
    ['no signature', 'BAD_HEADERS', ({ headers }) => delete headers['webhook-signature']],
    ['no id', 'BAD_HEADERS', ({ headers }) => delete headers['webhook-id']],
    ['a time that is none', 'BAD_HEADERS', ({ headers }) => (headers['webhook-timestamp'] = 'now')],
  ])('refuses %s', (_what, code, change) => {
    const given = request();
    change(given);
    expect(codeOf(() => verifyWebhook(given.headers, given.body, SECRET))).toBe(code);
  });

  it('refuses what is older than the tolerance, or comes from the future', () => {
    for (const ago of [310_000, -310_000]) {
      const { headers, body } = request(ago);
      expect(codeOf(() => verifyWebhook(headers, body, SECRET))).toBe('BAD_TIME');
      expect(codeOf(() => verifyWebhook(headers, body, SECRET, 600_000))).toBe('accepted');
    }
  });

  it('refuses another secret, and a signed body that is no JSON', () => {
    const { headers, body } = request();
    expect(codeOf(() => verifyWebhook(headers, body, OTHER))).toBe('BAD_SIGNATURE');
    const junk = request(0, [SECRET], 'hello');
    expect(codeOf(() => verifyWebhook(junk.headers, junk.body, SECRET))).toBe('BAD_BODY');
  });

  it.each([['secret'], ['whsec_'], ['whsec_c2hvcnQ='], [[]], [[SECRET, '']]])('takes no secret %j', (secret) => {
    const { headers, body } = request();
    expect(() => verifyWebhook(headers, body, secret)).toThrow(PxlWebSocketOptionsError);
  });
});

function changeTime(headers: Record<string, string>): void {
  headers['webhook-timestamp'] = String(Number(headers['webhook-timestamp']) + 1);
}

describe('The wait for the next attempt', () => {
  const endpoints = [{ url: 'https://example.com', events: ['userConnected'], secret: SECRET }] as const;
  const settings = resolveOptions({ webhooks: { endpoints } }).webhooks!;

  it('doubles up to the most, a quarter longer or shorter', () => {
    const waits = [1, 2, 3, 10, 11].map((attempts) => waitAfter(new Error(), attempts, settings, 0.5));
    expect(waits).toEqual([5_000, 10_000, 20_000, 2_560_000, 3_600_000]);
    expect(waitAfter(new Error(), 1, settings, 0)).toBe(3_750);
    expect(waitAfter(new Error(), 1, settings, 1)).toBe(6_250);
    expect(waitAfter(new Error(), 11, settings, 1)).toBe(3_600_000);
  });

  it('is as long as the receiver asks for, up to the most', () => {
    expect(waitAfter(new WebhookFailure('busy', 60_000), 1, settings, 0.5)).toBe(60_000);
    expect(waitAfter(new WebhookFailure('busy', 1_000), 1, settings, 0.5)).toBe(5_000);
    expect(waitAfter(new WebhookFailure('busy', 86_400_000), 1, settings, 0.5)).toBe(3_600_000);
  });

  it.each([
    [null, 0],
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', 0],
    ['-5', 0],
  ])('is read from retry-after: %s', (header, ms) => {
    expect(readRetryAfter(header, Date.parse('2026-01-01T00:00:00Z'))).toBe(ms);
  });
});

describe('The option webhooks', () => {
  const endpoint = { url: 'https://example.com/hooks', events: ['userConnected'], secret: SECRET };
  const refusals: [what: object, sentence: string][] = [
    [{}, 'The option webhooks.endpoints is a list of { url, events, secret }, not undefined.'],
    [{ endpoints: [] }, 'The option webhooks.endpoints is a list of { url, events, secret }, not a list.'],
    [
      { endpoints: [{ ...endpoint, url: 'http://example.com' }] },
      'The option webhooks.endpoints[0].url is one of https, except where allowHttp is true, not one of http.',
    ],
    [
      { endpoints: [{ ...endpoint, url: 'https://user:pass@example.com' }] },
      'The option webhooks.endpoints[0].url is a url without a user and a password, since the signature says who ' +
        'sends, not this one.',
    ],
    [
      { endpoints: [{ ...endpoint, url: '/hooks' }] },
      "The option webhooks.endpoints[0].url is an absolute url, as 'https://example.com/hooks', not a text.",
    ],
    [
      { endpoints: [{ ...endpoint, events: [] }] },
      'The option webhooks.endpoints[0].events is a list of userConnected, userDisconnected, roomOccupied, ',
    ],
    [
      { endpoints: [{ ...endpoint, events: ['userConected'] }] },
      "not a text that is none of them: did you mean 'userConnected'?",
    ],
    [
      { endpoints: [{ ...endpoint, secret: 'secret' }] },
      "The option webhooks.endpoints[0].secret is 'whsec_' and 24 to 64 bytes in base64 (as `openssl rand -base64 32` " +
        'makes them), or a list of such texts, not a text.',
    ],
    [{ endpoints: [{ ...endpoint, secret: undefined }] }, 'or a list of such texts, not undefined.'],
    [{ endpoints: [{ ...endpoint, headers: {} }] }, 'There is no option webhooks.endpoints[0].headers'],
    [
      { endpoints: [endpoint, endpoint] },
      'Two of webhooks.endpoints are called example.com: give each a name of its own.',
    ],
    [
      { endpoints: [{ ...endpoint, events: ['roomOccupied'] }] },
      'The option webhooks sends roomOccupied to example.com, which only rooms with rooms.presence have.',
    ],
    [{ endpoints: [endpoint], queue: true }, "The option webhooks.queue needs a redis, of its own or the module's."],
    [{ endpoints: [endpoint], queue: 'jobs' }, 'The option webhooks.queue is true, false or { name, prefix, redis }'],
    [{ endpoints: [endpoint], queue: { name: 'a:b' } }, 'The option webhooks.queue.name is a text that is not empty'],
    [{ endpoints: [endpoint], timeout: 15 }, 'did you mean 15000?'],
    [{ endpoints: [endpoint], retries: 3 }, 'There is no option webhooks.retries'],
  ];

  it.each(refusals)('%j is refused', (webhooks, sentence) => {
    const given = { webhooks } as Parameters<typeof resolveOptions>[0];
    expect(() => resolveOptions(given)).toThrow(sentence);
  });

  it.each(['http://localhost:3000/a', 'http://api.localhost', 'http://127.0.0.1', 'http://[::1]:8080'])(
    'takes %s, which does not leave this machine',
    (url) => {
      expect(
        resolveOptions({ webhooks: { endpoints: [{ ...endpoint, events: ['userConnected'], url }] } }),
      ).toBeDefined();
    },
  );

  it('takes http to other machines where it is allowed', () => {
    const url = 'http://billing.internal/hooks';
    const events = ['userConnected'] as const;
    const { webhooks } = resolveOptions({ webhooks: { endpoints: [{ ...endpoint, events, url, allowHttp: true }] } });
    expect(webhooks!.endpoints[0]).toMatchObject({ name: 'billing.internal', url });
  });
});
