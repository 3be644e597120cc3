/** As graphql-js decides it: anything with a `then` that can be called, a function too. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * Nobody waits for this any more, and it may still fail. Promises alone: another thenable may begin its work when its `then` is
 * called.
 */
export function disregard(value: unknown): void {
  if (value instanceof Promise) value.catch(() => {});
}
