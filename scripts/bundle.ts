import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'rolldown';
import { digestOf } from '../bin/bundle-inputs.js';
import { operator } from '../src/cli/operator/commands.ts';
import { people } from '../src/cli/people/commands.ts';
import { filesOf, modulesOfCommands } from './bundled-commands.ts';
import { ofPackage, thirdPartyNotices } from './third-party-notices.ts';

// Makes bundle/: the commands and what they load, in few files. docs/adr/0035-one-bundle.md says why.

const root = join(import.meta.dirname, '..');
const target = join(root, 'bundle');
const made = join(root, `bundle.${process.pid}`);

/**
 * Left in node_modules, and loaded when they are needed. A part of ours replaces methods of the driver's own classes, which must be those of the
 * driver that runs. GraphiQL's page has 9 MB.
 */
const external = /^(node:.*|mongodb(\/.*)?|@graphql-yoga\/render-graphiql)$/;

/** What packages load of Node when they are loaded, and never use here: by the end of the path of their file. */
const replaced: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // Reading the global Request loads Node's whole fetch. Yoga only asks whether its Request is that one.
  '@whatwg-node/server/esm/createServerAdapter.js': { 'fetchAPI.Request !== globalThis.Request': 'true' },
  // It starts programs for commands that are files of their own. The default import of a built-in module copies all of its exports.
  'commander/lib/command.js': {
    "import childProcess from 'node:child_process';":
      "const childProcess = { get spawn() { return process.getBuiltinModule('node:child_process').spawn; } };",
    "import path from 'node:path';": "const path = process.getBuiltinModule('node:path');",
    "import fs from 'node:fs';": "const fs = process.getBuiltinModule('node:fs');",
    "import process from 'node:process';": '',
  },
};
const withoutUnused: Plugin = {
  name: 'without-unused',
  transform(code, id) {
    const [file, parts] = Object.entries(replaced).find(([end]) => id.endsWith(`/node_modules/${end}`)) ?? [];
    if (!parts) return null;
    return Object.entries(parts).reduce((text, [part, by]) => {
      if (!text.includes(part)) throw new Error(`${file} no longer has "${part}". Look at scripts/bundle.ts.`);
      return text.replace(part, by);
    }, code);
  },
};

/** What was read, by the path of each file. */
const read = new Map<string, string>();
const reader: Plugin = {
  name: 'reader',
  transform(code, id) {
    if (id.startsWith('/')) read.set(id, code);
    return null;
  },
};

await mkdir(made, { recursive: true });
try {
  const { output } = await build({
    input: join(root, 'src/main.ts'),
    cwd: root,
    platform: 'node',
    external,
    plugins: [reader, withoutUnused],
    // Everything, in the order of its imports, as Node runs it.
    treeshake: false,
    checks: { ineffectiveDynamicImport: false },
    // CommonJS: an import of node:http in an ES module would load Node's fetch, too.
    output: {
      dir: made,
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name]-[hash].cjs',
      comments: false,
      // A file costs a quarter of a millisecond. None of these loads more of Node or of packages than a command needs that has one of them.
      codeSplitting: {
        groups: [
          {
            name: 'shared',
            test: /\/src\/(cli\/people\/(gateway|options)|cli\/(debugger|printable)|client\/documents)\.ts$/,
          },
          { name: 'jwe', test: /\/src\/crypto\/key-(agreement|wrap)\.ts$/ },
          { name: 'runtime', test: /\/src\/runtime\/(pacing|volume)\.ts$/ },
          { name: 'values', test: /\/src\/cli\/people\/(child-environment|exec-values)\.ts$/ },
        ],
      },
    },
  });
  const chunks = output.filter((file) => file.type === 'chunk');
  const modules = filesOf(chunks);
  const { notices, packages } = thirdPartyNotices(modules);
  await writeFile(join(made, 'THIRD-PARTY-NOTICES.txt'), notices);
  const manifests = packages.map((folder) => join(folder, 'package.json'));
  const commands = Object.keys({ ...operator, ...people });
  const lists = new Map([['all', modules], ...modulesOfCommands(chunks, commands)]);
  await mkdir(join(made, 'inputs'));
  for (const [name, ofList] of lists) {
    const inputs = inputsOf(ofList, manifests);
    await writeFile(
      join(made, 'inputs', `${name}.json`),
      JSON.stringify({ digest: digestOf(root, inputs), ...inputs }),
    );
  }
  // What was changed during the build is not in the bundle, and would be in the digest.
  if (!modules.every((path) => read.get(path) === readFileSync(path, 'utf8'))) {
    throw new Error('A file was changed while the bundle was made. Run "npm run bundle" again.');
  }
  await rm(target, { recursive: true, force: true });
  await rename(made, target);
} finally {
  await rm(made, { recursive: true, force: true });
}

/** The inputs of these modules: their files, and what decides how they are found and bundled. */
function inputsOf(modules: readonly string[], manifests: readonly string[]) {
  const folders = new Set(modules.flatMap((path) => ofPackage.exec(path)?.[0] ?? []));
  const files = [...modules, ...manifests.filter((path) => folders.has(dirname(path)))];
  const paths = files.map((path) => relative(root, path));
  const isOfPackage = (path: string) => /(^|\/)node_modules\//.test(path);
  return {
    own: [
      ...paths.filter((path) => !isOfPackage(path)),
      ...[
        'package.json',
        'package-lock.json',
        'scripts/bundle.ts',
        'scripts/bundled-commands.ts',
        'bin/bundle-inputs.js',
      ],
    ].toSorted(),
    packages: paths.filter(isOfPackage).toSorted(),
  };
}
