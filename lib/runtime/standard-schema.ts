/**
 * A schema of any library that speaks Standard Schema (https://standardschema.dev): zod, valibot, arktype and others.
 *
 * The type is copied here, as the specification suggests, so that no package has to be installed for it.
 */
export interface WsStandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => WsStandardResult<Output> | Promise<WsStandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** The result of a schema for a value; with `issues` the value is not valid. */
export type WsStandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

/** The type of a valid value after the schema. */
export type OutputOf<Schema extends WsStandardSchema> = NonNullable<Schema['~standard']['types']>['output'];
