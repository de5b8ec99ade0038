/** Constants as Ignis has them: with the set of their values, and the question whether one is among them. */
export type Scheme<Values extends Readonly<Record<string, unknown>>> = Values & {
  /** All values. */
  readonly SCHEME_SET: ReadonlySet<Values[keyof Values]>;
  /** Whether it is one of the values. */
  isValid(value: unknown): value is Values[keyof Values];
};

/** Adds the set and the question to constants. */
export function schemeOf<const Values extends Readonly<Record<string, unknown>>>(values: Values): Scheme<Values> {
  type Value = Values[keyof Values];
  const set: ReadonlySet<unknown> = new Set(Object.values(values));
  return Object.freeze({
    ...values,
    SCHEME_SET: set as ReadonlySet<Value>,
    isValid: (value: unknown): value is Value => set.has(value),
  });
}
