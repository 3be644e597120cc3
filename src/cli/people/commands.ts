import type { Command, Commands } from '../command.ts';
import { diff } from './diff.ts';
import { exec } from './exec.ts';
import { get } from './get.ts';
import { importCommand } from './import.ts';
import { list } from './list.ts';
import type { peopleNames } from './names.ts';
import { render } from './render.ts';
import { rm } from './rm.ts';
import { set } from './set.ts';

type Name = (typeof peopleNames)[number];

const commands: Record<Name, Command> = { list, get, set, rm, import: importCommand, diff, exec, render };

/** What people and workloads do with a running gateway; what the client throws is told as people read it. */
export const people: Commands = Object.fromEntries(
  Object.entries(commands).map(([name, command]) => [
    name,
    {
      ...command,
      async run(...given) {
        try {
          await command.run(...given);
        } catch (error) {
          const { clientFailure } = await import('./client-failure.ts');
          throw clientFailure(error);
        }
      },
    } satisfies Command,
  ]),
);
