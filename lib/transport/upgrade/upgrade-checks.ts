import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { ClientAddress, networkOf } from '../../auth/client-address.js';
import { OriginPolicy } from '../../auth/origin-policy.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { AcceptRate } from '../../limits/accept-rate.js';
import { ConnectionCounts } from '../../limits/connection-counts.js';
import { RefusalCounters } from '../../limits/refusal-counters.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import type { HttpRefusal } from './http-refusal.js';
import { REFUSALS } from './upgrade-refusals.js';

/** What an upgrade has to pass before its client is authenticated: the limits of connections, the origin, and how many come now. */
@Injectable()
export class UpgradeChecks {
  constructor(
    private readonly addresses: ClientAddress,
    private readonly counts: ConnectionCounts,
    private readonly origins: OriginPolicy,
    private readonly rate: AcceptRate,
    private readonly counters: RefusalCounters,
    private readonly errors: ErrorReporter,
  ) {}

  /** The address of the client, behind the proxies that `trustProxy` names. */
  addressOf(request: IncomingMessage): string {
    return this.addresses.of(request);
  }

  /** Counts the connection from now until its stream is closed; undefined when nothing is against it. */
  check(request: IncomingMessage, stream: Duplex, address: string, endpoint: Endpoint): HttpRefusal | undefined {
    return this.#takePlace(stream, address) ?? this.#checkOrigin(request, endpoint) ?? this.#checkRate();
  }

  #takePlace(stream: Duplex, address: string): HttpRefusal | undefined {
    if (!this.counts.areLimited) return undefined;
    const place = this.counts.enter(networkOf(address));
    if ('refusedBy' in place) {
      this.counters.count(place.refusedBy);
      return REFUSALS.tooMany;
    }
    if (stream.closed) place.release();
    else stream.once('close', place.release);
    return undefined;
  }

  /** Last, so that whoever is refused anyway takes nobody's turn. */
  #checkRate(): HttpRefusal | undefined {
    const after = this.rate.take();
    return after > 0 ? { ...REFUSALS.busy, after } : undefined;
  }

  #checkOrigin(request: IncomingMessage, { options }: Endpoint): HttpRefusal | undefined {
    try {
      if (this.origins.allows(request, options.origins)) return undefined;
      this.counters.count('origins');
      return REFUSALS.origin;
    } catch (error) {
      this.errors.report('The option origins failed.', error);
      return REFUSALS.failed;
    }
  }
}
