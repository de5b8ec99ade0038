import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { WsClient } from '../../ws-client/ws-client.js';
import type { WsParamPipe } from './request-params.decorator.js';

/** The decorator of a parameter, with the pipes that its value passes. */
type ParamDecorator = (...pipes: WsParamPipe[]) => ParameterDecorator;
type UserDecorator = (
  ...args: WsParamPipe[] | [property: 'userId' | 'userType' | 'payload' | undefined, ...pipes: WsParamPipe[]]
) => ParameterDecorator;

function clientOf(context: ExecutionContext): WsClient {
  return context.switchToWs().getClient<WsClient>();
}

/** The id of the client that sent the message. */
export const WsClientId: ParamDecorator = createParamDecorator((_data: undefined, context: ExecutionContext) => {
  return clientOf(context).clientId;
});

/** The verified user of the client, or one property of it: `@WsUser()`, `@WsUser('userId')`. Null for an anonymous one. */
export const WsUser: UserDecorator = createParamDecorator(
  (property: 'userId' | 'userType' | 'payload' | undefined, context) => {
    const { user } = clientOf(context);
    return property ? user?.[property] : user;
  },
);

/** The upgrade request of the client: `url`, `headers`, `ip`, `params`, `query`. */
export const WsRequest: ParamDecorator = createParamDecorator((_data: undefined, context: ExecutionContext) => {
  return clientOf(context).request;
});
