/** What is used of the JwtService of `@nestjs/jwt`: an optional peer, so its types stay out of ours. */
export interface TokenVerifier {
  verifyAsync(token: string, options: { clockTimestamp?: number }): Promise<unknown>;
}
