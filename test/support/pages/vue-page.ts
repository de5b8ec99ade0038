import {
  createApp,
  createSSRApp,
  defineComponent,
  h,
  ref,
  shallowRef,
  watch,
  type App as VueApp,
  type PropType,
} from 'vue';
import { WebSocketClient, WebSocketClientError, type RoomRecovery } from 'nestjs-pxl-websocket/client';
import { createSocketHooks } from 'nestjs-pxl-websocket/vue';
import { namesOf, NOTHING, type Shown, type Tea } from './page-contract.js';

const { socketPlugin, useSocketClient, useConnectionState, usePresence, usePush, useRequest, useRoom } =
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

const Room = defineComponent({
  props: { name: { type: null as unknown as PropType<string | null>, required: true } },
  setup(props) {
    const returns = ref('');
    const onRecovered = ({ recovered }: RoomRecovery): void => void (returns.value += recovered ? '+' : '-');
    const { joined, error, recovered } = useRoom(() => props.name, { history: 2, onRecovered });
    return () =>
      h(
        'li',
        { title: `${recovered.value}${returns.value}` },
        error.value instanceof WebSocketClientError ? error.value.code : `${props.name} ${joined.value}`,
      );
  },
});

const People = defineComponent({
  props: { of: { type: String, required: true } },
  setup(props) {
    const { members, count, left, setState } = usePresence(() => props.of);
    watch(members, (now) => presents.add(now), { immediate: true });
    return () => {
      const title = `${count.value} ${left.value}`;
      return h('button', { id: 'people', title, onClick: () => setState('away') }, namesOf(members.value));
    };
  },
});

const Log = defineComponent({
  props: { round: { type: Number, required: true } },
  setup(props) {
    const lines = ref<string[]>([]);
    usePush('tea', 'poured', ({ text }) => lines.value.push(`${props.round}:${text}`));
    return () => h('p', { id: 'log' }, lines.value.join(' '));
  },
});

const Pot = defineComponent({
  props: { of: { type: String, required: true } },
  setup(props) {
    const { data, renew } = useRequest('tea', 'pot', () => ({ of: props.of }));
    return () =>
      data.value
        ? h('button', { id: 'pot', onClick: () => renew() }, `${props.of} ${data.value.cups}`)
        : h('p', { id: 'pot' }, '…');
  },
});

const Parts = defineComponent({
  props: { shown: { type: Object as PropType<Shown>, required: true } },
  setup(props) {
    const { state, reason } = useConnectionState();
    return () => {
      const { hears, rooms, people, pot, round } = props.shown;
      return h('main', [
        h('p', { id: 'state', title: reason.value }, state.value),
        h(
          'ul',
          { id: 'rooms' },
          rooms.map((name, index) => h(Room, { key: index, name })),
        ),
        people === null ? undefined : h(People, { of: people }),
        hears ? h(Log, { round }) : undefined,
        pot === null ? undefined : h(Pot, { of: pot }),
      ]);
    };
  },
});

const Own = defineComponent({
  props: { shown: { type: Object as PropType<Shown>, required: true }, url: { type: String, required: true } },
  setup(props) {
    clients.add(useSocketClient({ url: props.url }));
    return () => h(Parts, { shown: props.shown });
  },
});

export function app({ client, url = '/ws', first }: AppProps, create = createSSRApp): VueApp {
  const shown = shallowRef<Shown>({ ...NOTHING, ...first });
  change = (next) => (shown.value = { ...shown.value, ...next });
  const made = create(() =>
    !shown.value.isOn ? h('p', 'off') : client ? h(Parts, { shown: shown.value }) : h(Own, { url, shown: shown.value }),
  );
  return client ? made.use(socketPlugin, client) : made;
}

/** What the test calls. */
export const page = {
  clients,
  presents,
  show: (next: Partial<Shown>): void => change(next),
  open(props: AppProps): void {
    app(props, createApp).mount('#root');
  },
  hydrate(props: AppProps): void {
    app(props).mount('#root');
  },
  /** A hook without a plugin. */
  openOutside(): void {
    const made = createApp(Room, { name: 'tea' });
    made.config.errorHandler = (error) => {
      createApp(() => h('p', { id: 'error' }, (error as Error).message)).mount('#root');
    };
    made.mount('#root');
  },
};

export { WebSocketClient };
