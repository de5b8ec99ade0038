import { Injectable } from '@nestjs/common';

export const CHOICES = ['tabs', 'spaces'] as const;

export type Choice = (typeof CHOICES)[number];
export type Counts = Record<Choice, number>;

/** Who has chosen what, while they are here. */
@Injectable()
export class PollService {
  private readonly votes = new Map<string, Choice>();

  vote(voter: string, choice: Choice): void {
    this.votes.set(voter, choice);
  }

  withdraw(voter: string): boolean {
    return this.votes.delete(voter);
  }

  counts(): Counts {
    const counts: Counts = { tabs: 0, spaces: 0 };
    for (const choice of this.votes.values()) counts[choice]++;
    return counts;
  }
}
