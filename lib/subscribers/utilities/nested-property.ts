import { ownProperty } from '../../clients/client-fields.js';

/**
 * What stands at a dot path in an object or list: `user.id`, `items.0.name`. Undefined where the path leads nowhere; only
 * own properties count.
 */
export function getNestedProperty(object: unknown, path: string): unknown {
  return path.split('.').reduce(ownProperty, object);
}
