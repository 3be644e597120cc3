import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'rolldown';

const entry = 'entry.js';

export interface Bundle {
  readonly code: string;
  readonly gzippedBytes: number;
  /** Modules that the bundler left out: a browser would have to load them itself. */
  readonly imports: readonly string[];
  /** What is in it, by path. */
  readonly modules: readonly string[];
}

/** Bundles a module for a browser, minified. @param folder where its imports are looked for */
export async function bundle(source: string, folder: string): Promise<Bundle> {
  const path = join(folder, entry);
  const { output } = await build({
    input: path,
    cwd: folder,
    platform: 'browser',
    plugins: [
      { name: 'entry', load: (id) => (id === path ? source : null), resolveId: (id) => (id === path ? id : null) },
    ],
    output: { format: 'es', minify: true, codeSplitting: false },
    logLevel: 'silent',
    write: false,
  });
  const [chunk, ...others] = output;
  if (others.length > 0) throw new Error('a bundle of one file was expected');
  const { code, imports, moduleIds } = chunk;
  return { code, gzippedBytes: gzipSync(code).length, imports, modules: moduleIds };
}
