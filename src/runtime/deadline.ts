/**
 * What the promise becomes, if it does so in time. What it stands for is not ended: it only is not waited for.
 * @param late makes the reason to reject with otherwise
 */
export function withDeadline<T>(promise: Promise<T>, milliseconds: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
