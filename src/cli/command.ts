import { type Argument, Command as Commander, type CommanderError, type Option } from 'commander';
import type { SettingName } from '../config.ts';
import { addCompletion, isCompletion } from './completion.ts';
import type { PeopleSettingName } from './people/environment.ts';
import { settingsTable } from './settings.ts';
import { UsageError } from './usage-error.ts';

/** What the command line can do. What its run needs is loaded when it runs: most commands need little of the gateway. */
export interface Command<Options = object> {
  /** One line, in the list of commands. */
  readonly summary: string;
  /** What else its own help page says. */
  readonly details?: string;
  readonly arguments?: readonly Argument[];
  readonly options?: readonly Option[];
  /** The settings that it reads, for its help page. */
  readonly settings?: readonly SettingName[] | readonly PeopleSettingName[];
  /** What to say of an argument too many, where people would put one that they must not. */
  readonly tooMany?: string;
  /** Its arguments are a command line of their own: options behind the first one belong to that. */
  readonly passThrough?: boolean;
  run(options: Options, ...args: string[]): Promise<void> | void;
}

/** Commands that share their first word. */
export interface CommandGroup {
  readonly summary: string;
  readonly details?: string;
  /** The settings that its commands read. */
  readonly settings?: readonly SettingName[];
  readonly commands: Readonly<Record<string, Command>>;
}

export type Commands = Readonly<Record<string, Command | CommandGroup>>;

/** What loads each command: the start of a process is mostly loading modules. */
export type CommandLoaders = Readonly<Record<string, () => Promise<Command | CommandGroup>>>;

export async function loadCommands(loaders: CommandLoaders): Promise<Commands> {
  const loaded = Object.entries(loaders).map(async ([name, load]) => [name, await load()] as const);
  return Object.fromEntries(await Promise.all(loaded));
}

const description =
  "A GraphQL gateway for secrets: values are stored encrypted, and leave only sealed to the caller's key.";
const helpWidth = 110;

/**
 * Runs what was typed.
 * @throws UsageError for what cannot be understood, and what the command throws. Its text never repeats what was typed
 */
export async function runCommand(
  commands: Commands,
  { version, args }: { version: string; args: readonly string[] },
): Promise<void> {
  const program = new Commander('secrets-gateway');
  program
    .description(description)
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({ writeErr: () => {}, outputError: () => {}, getOutHelpWidth: () => helpWidth })
    .usage('COMMAND')
    .enablePositionalOptions()
    .addHelpText('after', '\nsecrets-gateway COMMAND --help describes a command.');
  refuseWithoutQuoting(program);
  if (isCompletion(args)) {
    const { complete: _, ...others } = commands;
    addAll(program, others);
    await addCompletion(program);
  } else addAll(program, commands);
  if (args.length === 0) return program.outputHelp();
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    // Help or the version was printed.
    if (!isCommanderError(error) || error.exitCode !== 0) throw error;
  }
}

function addAll(parent: Commander, commands: Commands): void {
  for (const [name, command] of Object.entries(commands)) {
    const { summary, details } = command;
    const added = parent
      .command(name)
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.${details ? `\n\n${details}` : ''}`)
      .helpOption('-h, --help', 'print this help');
    if (command.settings) added.addHelpText('after', `\n${settingsTable(command.settings)}`);
    if ('commands' in command) {
      refuseWithoutQuoting(added);
      added.usage('COMMAND').helpCommand(false);
      addAll(added, command.commands);
    } else addOne(added, command);
  }
}

function addOne(added: Commander, command: Command): void {
  for (const argument of command.arguments ?? []) added.addArgument(argument);
  for (const option of command.options ?? []) added.addOption(option);
  if (command.passThrough) added.passThroughOptions();
  refuseWithoutQuoting(added, command.tooMany);
  added.action(async () => {
    try {
      await command.run(added.opts(), ...added.args);
    } catch (error) {
      throw error instanceof UsageError ? new UsageError(error.message, nameOf(added)) : error;
    }
  });
}

function refuseWithoutQuoting(command: Commander, tooMany = 'There is one argument too many.'): void {
  command.exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    throw new UsageError(usageMessage(error, command, tooMany), nameOf(command));
  });
}

/** The words that name it: `secrets-gateway keys list`. */
function nameOf(command: Commander): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

/** Commander's own messages quote what was typed, which could be a value. What it suggests are names of ours. */
function usageMessage({ code, message }: CommanderError, command: Commander, tooMany: string): string {
  const suggested = /\(Did you mean (?:one of )?(.+)\?\)/.exec(message)?.[1]?.replaceAll(', ', ' or ');
  const hint = suggested === undefined ? '' : ` Did you mean ${suggested}?`;
  switch (code) {
    case 'commander.unknownCommand':
      return `Unknown command.${hint}`;
    case 'commander.unknownOption':
      return `Unknown option.${hint}`;
    case 'commander.excessArguments':
      return tooMany;
    case 'commander.missingArgument':
      return `${command.registeredArguments.map((argument) => argument.name()).join(' and ')} ${command.registeredArguments.length > 1 ? 'are' : 'is'} required.`;
    case 'commander.conflictingOption':
      return 'Two of the options exclude each other.';
    case 'commander.optionMissingArgument':
      return 'An option has no value.';
    case 'commander.invalidArgument': {
      // The option and its choices are ours, what is between them is not.
      const [, option, choices] =
        /(?:option '(?:-\w, )?|for argument ')(--[\w-]+|[A-Z]+)[\s\S]*Allowed choices are ([\w, -]+)\.$/.exec(
          message,
        ) ?? [];
      return choices ? `${option} must be one of: ${choices}.` : 'The command line cannot be understood.';
    }
    case 'commander.help':
      return `Give a command: ${command.commands.map((one) => one.name()).join(', ')}.`;
    default:
      return 'The command line cannot be understood.';
  }
}

function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && error.name === 'CommanderError';
}
