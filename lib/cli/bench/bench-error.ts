/** Why nothing can be measured: a sentence for the user, whose fault or machine it is. */
export class BenchError extends Error {}
