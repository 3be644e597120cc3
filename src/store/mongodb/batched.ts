/** What is asked for in one tick of the event loop goes out in one command. Nothing is cached: each answer is read anew. */
export function batched(maxBatchSize: number) {
  return { cache: false, maxBatchSize, batchScheduleFn: (flush: () => void) => void setImmediate(flush) };
}
