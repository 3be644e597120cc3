/**
 * The promise's result, if it comes in time. The work behind the promise is not cancelled; its result is ignored.
 * @param lateError makes the error to reject with otherwise
 */
export function withDeadline<T>(promise: Promise<T>, timeoutMs: number, lateError: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(lateError()), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
