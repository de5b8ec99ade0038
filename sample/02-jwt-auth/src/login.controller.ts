import { Body, Controller, Headers, HttpCode, Post, UnauthorizedException } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Accounts, type Account } from './accounts.js';

/** Gives tokens for passwords, and new tokens for those that are about to expire. */
@Controller()
export class LoginController {
  constructor(
    private readonly accounts: Accounts,
    private readonly jwt: JwtService,
  ) {}

  @Post('login')
  @HttpCode(200)
  login(@Body() { name, password }: { name?: unknown; password?: unknown }): { token: string } {
    const account = this.accounts.find(name);
    if (account?.password !== password) throw new UnauthorizedException('Wrong name or password.');
    return this.#tokenFor(account);
  }

  @Post('renew')
  @HttpCode(200)
  async renew(@Headers('authorization') authorization = ''): Promise<{ token: string }> {
    try {
      const { sub } = await this.jwt.verifyAsync<{ sub: string }>(authorization.replace(/^Bearer /, ''));
      return this.#tokenFor(this.accounts.find(sub));
    } catch {
      throw new UnauthorizedException('Sign in again.');
    }
  }

  #tokenFor(account: Account | undefined): { token: string } {
    if (!account) throw new UnauthorizedException('Wrong name or password.');
    return { token: this.jwt.sign({ sub: account.name, userType: account.role }) };
  }
}
