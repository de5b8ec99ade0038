import {
  Component,
  createElement as h,
  StrictMode,
  Suspense,
  use,
  useEffect,
  useState,
  type ReactElement,
  type ReactNode,
} from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { WebSocketClient, WebSocketClientError, type RoomRecovery } from 'nestjs-pxl-websocket/client';
import { createSocketHooks } from 'nestjs-pxl-websocket/react';
import { namesOf, NOTHING, type Shown, type Tea } from './page-contract.js';

const { SocketProvider, useSocketClient, useConnectionState, usePresence, usePush, useRequest, useRoom } =
  createSocketHooks<Tea>();
/** The clients that the page has had of its own. */
const clients = new Set<object>();
/** What it has been told of who is in a room, each once. */
const presents = new Set<object>();
let change: (change: Partial<Shown>) => void;

export interface AppProps {
  /** Shared by all; else the page has one of its own at `url`. */
  readonly client?: WebSocketClient<Tea>;
  readonly url?: string;
  readonly first?: Partial<Shown>;
}

export function App({ client, url = '/ws', first }: AppProps): ReactElement {
  const [shown, setShown] = useState({ ...NOTHING, ...first });
  change = (next) => setShown((before) => ({ ...before, ...next }));
  if (!shown.isOn) return h('p', null, 'off');
  return client ? h(SocketProvider, { client }, h(Parts, shown)) : h(Own, { url, shown });
}

function Own({ url, shown }: { url: string; shown: Shown }): ReactElement {
  const client = useSocketClient({ url });
  clients.add(client);
  return h(SocketProvider, { client }, h(Parts, shown));
}

function Parts({ hears, rooms, people, pot, round }: Shown): ReactElement {
  const { state, reason } = useConnectionState();
  return h(
    'main',
    null,
    h('p', { id: 'state', title: reason }, state),
    h('ul', { id: 'rooms' }, ...rooms.map((name, index) => h(Room, { key: index, name }))),
    people !== null && h(People, { of: people }),
    hears && h(Log, { round }),
    pot !== null && h(Suspense, { fallback: h('p', { id: 'pot' }, '…') }, h(Pot, { of: pot })),
  );
}

function Room({ name }: { name: string | null }): ReactElement {
  const [returns, setReturns] = useState('');
  const onRecovered = ({ recovered }: RoomRecovery): void => setReturns(returns + (recovered ? '+' : '-'));
  const { joined, error, recovered } = useRoom(name, { history: 2, onRecovered });
  const title = `${recovered}${returns}`;
  return h('li', { title }, error instanceof WebSocketClientError ? error.code : `${name} ${joined}`);
}

function People({ of }: { of: string }): ReactElement {
  const present = usePresence(of);
  const { members, count, left, setState } = present;
  useEffect(() => void presents.add(present), [present]);
  const title = `${count} ${left}`;
  return h('button', { id: 'people', title, onClick: () => void setState('away') }, namesOf(members));
}

function Log({ round }: { round: number }): ReactElement {
  const [lines, setLines] = useState<string[]>([]);
  usePush('tea', 'poured', ({ text }) => setLines((before) => [...before, `${round}:${text}`]));
  return h('p', { id: 'log' }, lines.join(' '));
}

function Pot({ of }: { of: string }): ReactElement {
  const { promise, renew } = useRequest('tea', 'pot', { of });
  return h('button', { id: 'pot', onClick: renew }, `${of} ${use(promise).cups}`);
}

class Boundary extends Component<{ children: ReactNode }> {
  override state = { message: null as string | null };
  static getDerivedStateFromError = (error: Error) => ({ message: error.message });
  override render(): ReactNode {
    return this.state.message === null ? this.props.children : h('p', { id: 'error' }, this.state.message);
  }
}

declare const document: { querySelector(selector: string): Element };
const root = (): Element => document.querySelector('#root');
const inStrictMode = (app: ReactElement): ReactElement => h(StrictMode, null, app);

/** What the test calls. */
export const page = {
  clients,
  presents,
  show: (next: Partial<Shown>): void => change(next),
  open(props: AppProps): void {
    createRoot(root()).render(inStrictMode(h(App, props)));
  },
  hydrate(props: AppProps): void {
    hydrateRoot(root(), h(App, props));
  },
  /** A hook without a provider. */
  openOutside(): void {
    createRoot(root(), { onCaughtError: () => undefined }).render(h(Boundary, null, h(Room, { name: 'tea' })));
  },
};

export { WebSocketClient };
