import { asError } from '../errors/as-error.js';
import type { ErrorReporter } from '../errors/error-reporter.js';
import { ModuleLogger } from '../errors/module-logger.js';
import type { ResolvedWebhookEndpoint, ResolvedWebhooks } from '../options/observability/webhooks.options.js';
import type { Runtime } from '../runtime/runtime.js';
import { readRetryAfter, WebhookFailure } from './webhook-failure.js';
import type { WebhookMessage } from './webhook-message.js';
import { signWebhook } from './webhook-signature.js';

const GONE = 410;
/** Bytes of an answer that are read, so that its connection can be used again; they are of no interest. */
const MOST_READ = 65_536;

/** Why an event is given up. */
type DropReason = 'full' | 'attempts' | 'gone' | 'shutdown';

/** One receiver as this worker sees it: sends to it, and counts what becomes of that. */
export class WebhookReceiver {
  readonly #logger = new ModuleLogger();
  readonly #underWay = new Set<AbortController>();
  readonly dropped = new Map<DropReason, number>();
  /** Events that it has taken. */
  delivered = 0;
  /** Attempts that have failed. */
  failed = 0;
  /** It has said that it wants no webhooks any more; until this worker starts anew. */
  isGone = false;
  #isFailing = false;
  #isAborted = false;

  constructor(
    readonly endpoint: ResolvedWebhookEndpoint,
    private readonly settings: ResolvedWebhooks,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
  ) {}

  get name(): string {
    return this.endpoint.name;
  }

  /** One attempt. @throws WebhookFailure */
  async send(message: WebhookMessage): Promise<void> {
    try {
      await this.#post(message);
    } catch (error) {
      if (!this.#isAborted) this.#fails(asError(error));
      throw error instanceof WebhookFailure ? error : new WebhookFailure(reasonOf(error));
    }
    this.delivered++;
    if (this.#isFailing) this.#logger.log(`This is over: webhooks to ${this.name} failed.`);
    this.#isFailing = false;
  }

  drop(reason: DropReason, count = 1): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count);
  }

  /** Gives an event up after its last attempt. */
  giveUp({ id, type }: WebhookMessage, failure: unknown): void {
    this.drop(this.isGone ? 'gone' : 'attempts');
    if (!this.isGone) this.errors.report(`A webhook to ${this.name} was given up (${type}, ${id}).`, failure);
  }

  /** The application stops: ends the requests that are under way. */
  abort(): void {
    this.#isAborted = true;
    for (const request of this.#underWay) request.abort(new WebhookFailure('The application has stopped.'));
  }

  async #post({ id, body }: WebhookMessage): Promise<void> {
    const { url, keys } = this.endpoint;
    const { timeout } = this.settings;
    const timestamp = String(Math.floor(this.runtime.now() / 1_000));
    const request = new AbortController();
    // An answer that came while this process stood still is read first.
    const timer = this.runtime.fairTimeout(timeout, () =>
      request.abort(new WebhookFailure(`It did not answer within webhooks.timeout (${timeout} ms).`)),
    );
    this.#underWay.add(request);
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'nestjs-pxl-websocket',
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': signWebhook({ id, timestamp, body }, keys),
        },
        body,
        // An address that moves would get the event, and its signature, without being one of the options.
        redirect: 'manual',
        signal: request.signal,
      });
      await skim(answer);
      this.#judge(answer);
    } finally {
      timer.cancel();
      this.#underWay.delete(request);
    }
  }

  #judge({ ok, status, headers }: Response): void {
    if (ok) return;
    const retryAfter = readRetryAfter(headers.get('retry-after'), this.runtime.now());
    throw new WebhookFailure(`It answered ${status}.`, retryAfter, status === GONE);
  }

  #fails(failure: Error): void {
    this.failed++;
    if (failure instanceof WebhookFailure && failure.isGone) {
      const rest = 'nothing is sent to it until this worker starts anew.';
      if (!this.isGone) this.#logger.warn(`The receiver ${this.name} of webhooks is gone (410): ${rest}`);
      this.isGone = true;
    } else if (!this.#isFailing) {
      this.#isFailing = true;
      this.#logger.warn(`Webhooks to ${this.name} fail, and are tried again: ${reasonOf(failure)}`);
    }
  }
}

/** Reads an answer to its end, if that is near. Does not reject: its status has come, and that is the answer. */
async function skim({ body }: { readonly body: ReadableStream<Uint8Array> | null }): Promise<void> {
  const reader = body?.getReader();
  let read = 0;
  try {
    while (reader && read <= MOST_READ) {
      const { done, value } = await reader.read();
      if (done) return;
      read += value.length;
    }
    await reader?.cancel();
  } catch {
    // It ended in the middle, or took longer than webhooks.timeout.
  }
}

/** `fetch` fails with "fetch failed", and says why in the cause; where a name has several addresses, in what is in that. */
function reasonOf(error: unknown): string {
  const { message, cause } = asError(error);
  if (cause === undefined) return message;
  const causes: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return causes.map((each) => asError(each).message).join(', ');
}
