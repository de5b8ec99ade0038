import { Scope } from '@nestjs/common';
import type { ProviderWrapper } from '../discovery/provider.scanner.js';

/** What `@WebSocketServer()` writes to the property. */
const SERVER_METADATA = 'websockets:is_socket';

/**
 * Gives an instance of a request-scoped gateway the servers that Nest has put into the `@WebSocketServer()` properties of the
 * one object of its class that it knows.
 */
export function copyServers(from: object, to: object): void {
  for (const property of Object.keys(from)) {
    if (Reflect.hasMetadata(SERVER_METADATA, from, property)) Reflect.set(to, property, Reflect.get(from, property));
  }
}

/**
 * Why Nest makes a provider anew for each request, as a clause about it: `it injects Tenant, which is request-scoped`.
 *
 * @param wrapper of a provider whose dependency tree is not static
 */
export function whyRequestScoped(wrapper: ProviderWrapper): string {
  if (wrapper.scope === Scope.REQUEST) return 'it is request-scoped';
  return `it injects ${chainOf(wrapper, new Set()).join(', which injects ')}, which is request-scoped`;
}

/** The names of what lies between a provider and the request-scoped one that it depends on, which is the last. */
function chainOf(wrapper: ProviderWrapper, seen: Set<ProviderWrapper>): string[] {
  seen.add(wrapper);
  const scoped = dependenciesOf(wrapper).find(
    (dependency) => !seen.has(dependency) && !dependency.isDependencyTreeStatic(),
  );
  if (!scoped) return [];
  const name = typeof scoped.metatype === 'function' ? scoped.metatype.name : String(scoped.name);
  return scoped.scope === Scope.REQUEST ? [name] : [name, ...chainOf(scoped, seen)];
}

/** Its enhancers too: a guard of a gateway is made with it. Nest has no list where there is none. */
function dependenciesOf(wrapper: ProviderWrapper): ProviderWrapper[] {
  const lists: (readonly ProviderWrapper[] | undefined)[] = [
    wrapper.getCtorMetadata(),
    (wrapper.getPropertiesMetadata() as { wrapper: ProviderWrapper }[] | undefined)?.map(
      (property) => property.wrapper,
    ),
    wrapper.getEnhancersMetadata(),
  ];
  return lists.flatMap((list) => list ?? []);
}
