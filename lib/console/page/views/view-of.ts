import type { Place } from '../router.js';
import type { View, ViewContext } from '../view.js';
import { ClientView } from './client.view.js';
import { EndpointsView } from './endpoints.view.js';
import { clientsView, roomsView, usersView } from './list.view.js';
import { OverviewView } from './overview.view.js';
import { RoomView } from './room.view.js';
import { TraceView } from './trace.view.js';
import { UserView } from './user.view.js';
import { WorkerView } from './worker.view.js';

/** The places that can always be gone to: their first part, and their names. */
export const PLACES = [
  ['', 'Overview'],
  ['endpoints', 'Endpoints'],
  ['rooms', 'Rooms'],
  ['users', 'Users'],
  ['clients', 'Clients'],
  ['trace', 'Trace'],
] as const;

/** The view of a place; the overview where there is none of this name. */
export function viewOf(context: ViewContext, { parts }: Place): View {
  const [first, id, name] = parts;
  switch (first) {
    case 'workers':
      return id === undefined ? new OverviewView(context) : new WorkerView(context, id);
    case 'endpoints':
      return new EndpointsView(context);
    case 'rooms':
      return id === undefined ? roomsView(context) : new RoomView(context, id);
    case 'users':
      return id === undefined ? usersView(context) : new UserView(context, id);
    case 'clients':
      return id === undefined ? clientsView(context) : new ClientView(context, id);
    case 'trace':
      return new TraceView(context, id, name);
    default:
      return new OverviewView(context);
  }
}
