import { IsIn } from 'class-validator';
import { CHOICES, type Choice } from './poll.service';

export class Vote {
  @IsIn(CHOICES)
  choice!: Choice;
}
