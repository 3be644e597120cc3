import type { OutputChunk } from 'rolldown';

/** The files that chunks are made of. */
export function filesOf(chunks: readonly OutputChunk[]): string[] {
  return chunks.flatMap(({ moduleIds }) => moduleIds).filter((id) => id.startsWith('/'));
}

/**
 * The files that each command can load: all that its chunks import, at once or later, and what the entry imports, except other commands.
 * That is safe because the first word of the command line alone decides which command the entry loads.
 * @param commands their names, which are those of their files
 */
export function modulesOfCommands(
  chunks: readonly OutputChunk[],
  commands: readonly string[],
): ReadonlyMap<string, string[]> {
  const byFile = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const entry = chunks.find(({ isEntry }) => isEntry);
  if (!entry) throw new Error('The bundle has no entry.');
  const chunkOf = new Map<string, OutputChunk>();
  for (const chunk of chunks) {
    const [, name = ''] = /\/src\/cli\/(?:operator|people)\/([a-z]+)\.ts$/.exec(chunk.facadeModuleId ?? '') ?? [];
    if (commands.includes(name)) chunkOf.set(name, chunk);
  }
  const ofCommands = new Set([...chunkOf.values()].map(({ fileName }) => fileName));
  const lists = new Map<string, string[]>();
  for (const command of commands) {
    const start = chunkOf.get(command);
    if (!start)
      throw new Error(`The bundle has no chunk for the command ${command}. Its loader must import its own file.`);
    const needed: Set<OutputChunk> = new Set([start, entry]);
    // A set goes on with what is added meanwhile.
    for (const { fileName, imports, dynamicImports } of needed) {
      const later = dynamicImports.filter((file) => fileName !== entry.fileName || !ofCommands.has(file));
      for (const file of [...imports, ...later]) {
        const next = byFile.get(file);
        if (next) needed.add(next);
      }
    }
    lists.set(command, filesOf([...needed]));
  }
  return lists;
}
