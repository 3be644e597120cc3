/** How a command ends. docs/command-line.md tells scripts. */
export const exitCodes = {
  failed: 1,
  usage: 2,
  unreachable: 3,
  unauthenticated: 4,
  notExecutable: 126,
  notFound: 127,
} as const;

/** Why a command could not do what was asked. The message says what to do, and never repeats a value or a credential. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(message: string, how: keyof typeof exitCodes = 'failed') {
    super(message);
    this.exitCode = exitCodes[how];
  }
}
