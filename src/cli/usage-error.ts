/** A command line that cannot be understood. The message says what is expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** The command whose help page says more. */
  readonly command: string;

  constructor(message: string, command = 'secrets-gateway') {
    super(message);
    this.command = command;
  }
}
