/**
 * A GraphQL document that knows the types of its answer and of its variables: a constant of this package, what codegen
 * makes with `documentMode: 'string'`, or a string that you give the type yourself.
 */
export type TypedDocument<Data, Variables> = DocumentText & {
  readonly __apiType?: ((variables: Variables) => Data) | undefined;
};

/** A string, or an object of the class String. A parsed document is neither. */
type DocumentText = Pick<string, 'toString' | 'trim'>;
