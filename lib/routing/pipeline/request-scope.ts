import { Scope } from '@nestjs/common';
import type { ProviderWrapper } from '../discovery/provider.scanner.js';

/** What `@WebSocketServer()` writes to the property. */
const SERVER_METADATA = 'websockets:is_socket';

/**
 * Copies the servers of `@WebSocketServer()` properties to an instance of a request-scoped gateway. Nest sets them on
 * one object of the class only.
 */
export function copyServers(from: object, to: object): void {
  for (const property of Object.keys(from)) {
    if (Reflect.hasMetadata(SERVER_METADATA, from, property)) Reflect.set(to, property, Reflect.get(from, property));
  }
}

/**
 * Why Nest creates a provider for each request, as a clause: `it injects Tenant, which is request-scoped`.
 *
 * @param wrapper a provider whose dependency tree is not static
 */
export function whyRequestScoped(wrapper: ProviderWrapper): string {
  if (wrapper.scope === Scope.REQUEST) return 'it is request-scoped';
  return `it injects ${chainOf(wrapper, new Set()).join(', which injects ')}, which is request-scoped`;
}

/** The names of the providers on the way to the request-scoped one, which is the last. */
function chainOf(wrapper: ProviderWrapper, seen: Set<ProviderWrapper>): string[] {
  seen.add(wrapper);
  const scoped = dependenciesOf(wrapper).find(
    (dependency) => !seen.has(dependency) && !dependency.isDependencyTreeStatic(),
  );
  if (!scoped) return [];
  const name = typeof scoped.metatype === 'function' ? scoped.metatype.name : String(scoped.name);
  return scoped.scope === Scope.REQUEST ? [name] : [name, ...chainOf(scoped, seen)];
}

/**
 * The dependencies of a provider, its enhancers included: a gateway's guard is created with it. Empty lists are
 * undefined.
 */
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
