import { Reflector } from '@nestjs/core';

/** Who may use a route: `@Roles(['admin'])`. */
export const Roles = Reflector.createDecorator<string[]>();
