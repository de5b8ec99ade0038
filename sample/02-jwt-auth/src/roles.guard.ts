import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { WsError, type WsClient } from 'nestjs-pxl-websocket';
import { Roles } from './roles.decorator.js';

/** An ordinary guard of Nest: the role is a claim of the token that the connection was opened with. */
@Injectable()
export class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const roles = this.reflector.get(Roles, context.getHandler());
    const { user } = context.switchToWs().getClient<WsClient>();
    if (roles.includes(user?.userType ?? '')) return true;
    throw new WsError('FORBIDDEN', `This is for ${roles.join(' and ')}s only.`);
  }
}
