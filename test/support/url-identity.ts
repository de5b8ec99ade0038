import type { WsCredentials, WsIdentity } from 'nestjs-pxl-websocket';
import type { TestApp } from './test-app.js';
import type { TestClient } from './test-client.js';

/** Who a test's client is. */
export interface TestUser {
  userId: string;
  userType?: string;
  email?: string;
}

/** An authenticator that believes the url: `/ws?userId=7&userType=admin`; without a user id the client is anonymous. */
export function urlIdentity({ request }: WsCredentials): WsIdentity {
  const { searchParams } = new URL(request.url, 'ws://host');
  const { userId, userType, ...payload } = Object.fromEntries(searchParams);
  return userId === undefined ? { anonymous: true } : { userId, userType, payload };
}

/** Connects as a user to an application with {@link urlIdentity}; its welcome is taken. */
export function connectAs(app: TestApp, user: TestUser): Promise<TestClient> {
  return app.client({ path: `/ws?${new URLSearchParams({ ...user }).toString()}` });
}

/** The user of a test by its id alone; without one it is anonymous. */
export function identityOf(userId: string | null | undefined): WsIdentity {
  return userId === undefined || userId === null ? { anonymous: true } : { userId };
}
