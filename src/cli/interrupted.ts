/** Ctrl-C at a question ends the command as the signal would. */
export function exitInterrupted(): never {
  process.exit(130);
}
