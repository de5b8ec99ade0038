/**
 * A schema of any library that speaks Standard Schema (https://standardschema.dev): zod, valibot, arktype and others.
 *
 * Spelled out here, as the specification invites to, so that nothing has to be installed for it.
 */
export interface WsStandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => WsStandardResult<Output> | Promise<WsStandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a schema makes of a value; with `issues` it is not valid. */
export type WsStandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

/** What a schema makes of a valid value. */
export type OutputOf<Schema extends WsStandardSchema> = NonNullable<Schema['~standard']['types']>['output'];
