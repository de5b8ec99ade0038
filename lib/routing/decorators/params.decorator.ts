import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { WsClient } from '../../ws-client/ws-client.js';

function clientOf(context: ExecutionContext): WsClient {
  return context.switchToWs().getClient<WsClient>();
}

/** The id of the client that sent the message. */
export const WsClientId = createParamDecorator((_data: undefined, context: ExecutionContext) => {
  return clientOf(context).clientId;
});

/** The verified user of the client, or one property of it: `@WsUser()`, `@WsUser('userId')`. Null for an anonymous one. */
export const WsUser = createParamDecorator((property: 'userId' | 'userType' | 'payload' | undefined, context) => {
  const { user } = clientOf(context);
  return property ? user?.[property] : user;
});

/** The upgrade request of the client: `url`, `headers`, `ip`, `params`, `query`. */
export const WsRequest = createParamDecorator((_data: undefined, context: ExecutionContext) => {
  return clientOf(context).request;
});
