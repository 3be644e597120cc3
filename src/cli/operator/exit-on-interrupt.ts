/** Ends the process in the orderly way, so that what it has begun to write is removed. */
export function exitOnInterrupt(): void {
  process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
}
