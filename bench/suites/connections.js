import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { CONTENDERS } from '../lib/contenders.js';
import { openEntry, withEntries } from '../lib/session.js';

const PEM = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
};
const rateOf = ({ rate }) => rate;
const COLUMNS = [
  { title: 'connections per second', digits: 0, of: rateOf },
  { title: 'server CPU per connection, µs', digits: 1, of: ({ cpu }) => cpu },
];

export const connections = {
  name: 'connections',
  about:
    'Connections that are upgraded, get their welcome and are then closed by the client without a close frame, 64 at a ' +
    'time. Then ours with a JSON Web Token at the upgrade (`auth.jwt`), beside ws without one: first each client brings a ' +
    'token that the server has not seen, as after a start, then each one of a thousand that come back.',

  async run(bench) {
    const names = bench.contenders(['ws', 'platform-ws', 'socket-io', 'bun', 'pxl']);
    return [
      await withEntries(
        names,
        (name) => openEntry(name, 0),
        (entries) =>
          bench.measure({
            title: 'connections accepted',
            entries,
            measure,
            columns: COLUMNS,
            ratios: [{ title: 'rate, ours ÷ this', of: rateOf, dividend: 'pxl' }],
          }),
      ),
      await withEntries(withTokens(bench), openAuthenticated, (entries) =>
        bench.measure({
          title: 'with a token at the upgrade',
          entries,
          measure,
          columns: COLUMNS,
          ratios: [{ title: 'rate, this ÷ ws without a token', of: rateOf, divisor: 'ws' }],
        }),
      ),
    ];
  },
};

async function measure({ session, tokens }, milliseconds) {
  const { count, seconds, cpu } = await session.timed('churn', { target: session.target, milliseconds, tokens });
  return { rate: count / seconds, cpu: cpu / count };
}

/** ws without a token, and each of ours with each algorithm and kind of token. */
function withTokens(bench) {
  const [ws, ...ours] = [bench.contenders(['ws']), ...bench.contenders(['pxl'])];
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', ...PEM });
  const secret = randomBytes(32).toString('hex');
  const signers = [
    { algorithm: 'HS256', key: secret, jwt: { secret } },
    { algorithm: 'ES256', key: privateKey, jwt: { publicKey } },
  ];
  const cells = ours.flatMap((contender) =>
    signers.flatMap((signer) => ['new', 'known'].map((tokens) => ({ contender, signer, tokens }))),
  );
  return [...ws.map((contender) => ({ contender })), ...cells];
}

async function openAuthenticated({ contender, signer, tokens }) {
  if (!signer) return openEntry(contender, 0);
  const { session } = await openEntry(contender, 0, { jwt: signer.jwt });
  const { algorithm, key } = signer;
  await session.load.ask('signTokens', { algorithm, key });
  const title = `${CONTENDERS[contender].title}, ${algorithm}, ${tokens === 'new' ? 'seen for the first time' : 'comes back'}`;
  return { name: `${contender} ${algorithm} ${tokens}`, title, session, tokens };
}
