import { Injectable } from '@nestjs/common';

/** Who may sign in. An application keeps hashes of passwords in a database. */
export interface Account {
  readonly name: string;
  readonly password: string;
  readonly role: 'admin' | 'member';
}

const ACCOUNTS: readonly Account[] = [
  { name: 'ada', password: 'lovelace', role: 'admin' },
  { name: 'bo', password: 'peep', role: 'member' },
];

@Injectable()
export class Accounts {
  find(name: unknown): Account | undefined {
    return ACCOUNTS.find((account) => account.name === name);
  }
}
