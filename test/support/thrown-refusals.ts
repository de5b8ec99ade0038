import { ForbiddenException, HttpException, NotFoundException, UnauthorizedException } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { WsException } from '@nestjs/websockets';
import { WsError } from 'nestjs-pxl-websocket';
import { hs256, seconds } from './tokens.js';

/** What came of it: which refusal, and for which reason where a token was at fault; null: nobody was refused. */
type Outcome = readonly [outcome: 'unauthenticated' | 'forbidden', reason?: string] | null;

class ExpiredLicence extends HttpException {
  constructor() {
    super('the licence of ada has expired', 403);
  }
}

/** An exception of another copy of Nest's package: no instance of ours. */
class ForeignException extends Error {
  getStatus(): number {
    return 401;
  }

  getResponse(): string {
    return this.message;
  }
}

class ForeignWsException extends Error {
  getError(): object {
    return { code: 'FORBIDDEN' };
  }
}

/** The error of the name, as another copy of the package throws it. */
const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
/** As jose 6.2 throws them. */
const ofJose = (code: string, claim?: string): Error => Object.assign(new Error('of ada'), { code, claim });
const keyCallback = 'error in secret or public key callback: ';

/** What applications throw where they are asked who somebody is, and what it means. */
export const THROWN_REFUSALS: readonly (readonly [what: string, thrown: unknown, outcome: Outcome])[] = [
  ['an UnauthorizedException', new UnauthorizedException('ada'), ['unauthenticated']],
  ['a ForbiddenException', new ForbiddenException('ada'), ['forbidden']],
  ['an HttpException of the status 401', new HttpException('ada', 401), ['unauthenticated']],
  ['an HttpException of the status 403, of a class of its own', new ExpiredLicence(), ['forbidden']],
  ['an exception of another copy of the package', new ForeignException('ada'), ['unauthenticated']],
  ['a WsError UNAUTHENTICATED', new WsError('UNAUTHENTICATED', 'ada'), ['unauthenticated']],
  ['a WsError FORBIDDEN', new WsError('FORBIDDEN', 'ada'), ['forbidden']],
  ['a WsException with a code', new WsException({ code: 'FORBIDDEN', message: 'ada' }), ['forbidden']],
  ['a WsException with a status', new WsException({ status: 401, message: 'ada' }), ['unauthenticated']],
  ['a WsException with a statusCode', new WsException({ status: 'error', statusCode: 403 }), ['forbidden']],
  ['a WsException of another copy of the package', new ForeignWsException('ada'), ['forbidden']],
  ['a WsException around one', new WsException(new UnauthorizedException('ada')), ['unauthenticated']],

  ['what jsonwebtoken says of an expired token', failureOf({ exp: seconds(-10) }), ['unauthenticated', 'expired']],
  ['of an early one', failureOf({ nbf: seconds(100) }), ['unauthenticated', 'not_before']],
  ['of a wrong signature', failureOf({}, 'another key'), ['unauthenticated', 'signature']],
  ['of another audience', failureOf({ aud: 'mail' }), ['unauthenticated', 'audience']],
  ['of garbage', failureOf('no.token'), ['unauthenticated', 'malformed']],
  ['of none', failureOf(''), ['unauthenticated', 'missing']],
  ['of what is not known here', named('JsonWebTokenError', 'jwt ada'), ['unauthenticated', 'invalid']],
  ['an error of another copy: expired', named('TokenExpiredError', 'ada'), ['unauthenticated', 'expired']],
  ['an error of another copy: early', named('NotBeforeError', 'ada'), ['unauthenticated', 'not_before']],
  ['a key that jwks-rsa does not find', named('SigningKeyNotFoundError', 'ada'), ['unauthenticated', 'no_key']],
  [
    'the same through jsonwebtoken',
    named('JsonWebTokenError', `${keyCallback}Unable to find a signing key that matches 'ada'`),
    ['unauthenticated', 'no_key'],
  ],
  ['of jose: expired', ofJose('ERR_JWT_EXPIRED', 'exp'), ['unauthenticated', 'expired']],
  ['of jose: too old', ofJose('ERR_JWT_EXPIRED', 'iat'), ['unauthenticated', 'too_old']],
  ['of jose: the audience', ofJose('ERR_JWT_CLAIM_VALIDATION_FAILED', 'aud'), ['unauthenticated', 'audience']],
  ['of jose: another claim', ofJose('ERR_JWT_CLAIM_VALIDATION_FAILED', 'org'), ['unauthenticated', 'invalid']],
  ['of jose: the signature', ofJose('ERR_JWS_SIGNATURE_VERIFICATION_FAILED'), ['unauthenticated', 'signature']],
  ['of jose: no such key', ofJose('ERR_JWKS_NO_MATCHING_KEY'), ['unauthenticated', 'no_key']],
  ['of jose: the algorithm', ofJose('ERR_JOSE_ALG_NOT_ALLOWED'), ['unauthenticated', 'algorithm']],
  ['of jose: garbage', ofJose('ERR_JWS_INVALID'), ['unauthenticated', 'malformed']],
  ['of jose: none', new Error('Compact JWS must be a string or Uint8Array'), ['unauthenticated', 'missing']],

  ['any other error', new Error('ada'), null],
  ['no error', 'ada', null],
  ['nothing', undefined, null],
  ['a NotFoundException', new NotFoundException('ada'), null],
  ['another WsError', new WsError('UNAVAILABLE', 'ada'), null],
  ['a WsException without a code', new WsException('ada'), null],
  ['a WsException around an error', new WsException(new Error('ada')), null],
  // An identity provider that does not know us has said nothing of the client.
  ['what a request to another server failed with', Object.assign(new Error('ada'), { status: 401 }), null],
  ['jsonwebtoken without a key', failureOf({}, undefined, ''), null],
  ['jsonwebtoken whose key is none', named('JsonWebTokenError', 'secretOrPublicKey is not valid key material'), null],
  ['jsonwebtoken whose keys cannot be fetched', named('JsonWebTokenError', `${keyCallback}socket hang up`), null],
  ['jwks-rsa whose keys cannot be fetched', named('JwksError', 'Service Unavailable'), null],
  ['jose whose keys cannot be fetched in time', ofJose('ERR_JWKS_TIMEOUT'), null],
  ['jose whose keys cannot be fetched', ofJose('ERR_JOSE_GENERIC'), null],
  ['jose whose keys are several', ofJose('ERR_JWKS_MULTIPLE_MATCHING_KEYS'), null],
  ['jose whose keys are none', ofJose('ERR_JWKS_INVALID'), null],
];

/** What a JwtService throws at a token of these claims, or at a text. */
function failureOf(claims: object | string, signedWith = 'key', verifiedWith = 'key'): unknown {
  const token = typeof claims === 'string' ? claims : hs256({ aud: 'chat', ...claims }, signedWith);
  try {
    new JwtService().verify(token, { secret: verifiedWith, audience: 'chat' });
  } catch (error) {
    return error;
  }
  throw new Error('The token was valid.');
}
