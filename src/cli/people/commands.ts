import type { Command, CommandLoaders } from '../command.ts';

/** What people and workloads do with a running gateway. */
export const people: CommandLoaders = {
  list: async () => forPeople((await import('./list.ts')).list),
  get: async () => forPeople((await import('./get.ts')).get),
  set: async () => forPeople((await import('./set.ts')).set),
  rm: async () => forPeople((await import('./rm.ts')).rm),
  import: async () => forPeople((await import('./import.ts')).importCommand),
  diff: async () => forPeople((await import('./diff.ts')).diff),
  exec: async () => forPeople((await import('./exec.ts')).exec),
  check: async () => forPeople((await import('./check.ts')).check),
  use: async () => forPeople((await import('./use.ts')).use),
  render: async () => forPeople((await import('./render.ts')).render),
};

/** What the client throws is told as people read it. */
function forPeople(command: Command): Command {
  return {
    ...command,
    async run(...given) {
      try {
        await command.run(...given);
      } catch (error) {
        const { clientFailure } = await import('./client-failure.ts');
        throw clientFailure(error);
      }
    },
  };
}
