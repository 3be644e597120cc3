/**
 * Node opens its debugger on SIGUSR1, and whoever reaches its port reads the keys in memory. A listener replaces that.
 * @param onSignal told each time
 */
export function keepDebuggerClosed(onSignal: () => void = () => {}): void {
  process.on('SIGUSR1', onSignal);
}
