import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  buildASTSchema,
  type DocumentNode,
  findBreakingChanges,
  findDangerousChanges,
  Kind,
  parse,
  print,
  visit,
} from 'graphql';

// schema/released/ has the schemas of the last release; `--release` copies the current ones there.
const { values, positionals } = parseArgs({ options: { release: { type: 'boolean' } }, allowPositionals: true });
const root = positionals[0] ?? join(import.meta.dirname, '..');
const files = ['schema.graphql', 'subgraph.graphql'];
const current = (file: string) => join(root, 'schema', file);
const released = (file: string) => join(root, 'schema', 'released', file);

if (values.release) release();
else check();

function release(): void {
  mkdirSync(join(root, 'schema', 'released'), { recursive: true });
  for (const file of files) cpSync(current(file), released(file));
  console.log('schema/released is what schema is now.');
}

function check(): void {
  // If only one of them exists, reading the other one fails with its name.
  if (!files.some((file) => existsSync(released(file)))) {
    console.log('No schema has been released yet, so nothing can break.');
    return;
  }
  const pairs = files.map((file) => [parse(read(released(file))), parse(read(current(file)))] as const);
  // A change in both files is reported once.
  const breaking = new Set(pairs.flatMap(([before, after]) => breakingChanges(before, after)));
  const dangerous = new Set(pairs.flatMap(([before, after]) => dangerousChanges(before, after)));
  for (const change of breaking) console.log(`breaking   ${change}`);
  for (const change of dangerous) console.log(`dangerous  ${change}`);
  console.log(`Since the last release: ${breaking.size} breaking changes, ${dangerous.size} dangerous ones.`);
  if (breaking.size === 0 || announcesBreaking(read(join(root, 'CHANGELOG.md')))) return;
  console.error(
    'Clients of the last release would break. Keep what they use, or announce the change: ' +
      'a line of its own in the Unreleased section of CHANGELOG.md that begins with "- BREAKING".',
  );
  process.exitCode = 1;
}

function breakingChanges(before: DocumentNode, after: DocumentNode): string[] {
  const left = federationPromises(after);
  const broken = [...federationPromises(before)].filter((promise) => !left.has(promise));
  return [
    ...findBreakingChanges(schemaOf(before), schemaOf(after)).map(({ description }) => description),
    ...broken.map((promise) => `${promise} was removed.`),
  ];
}

function dangerousChanges(before: DocumentNode, after: DocumentNode): string[] {
  return findDangerousChanges(schemaOf(before), schemaOf(after)).map(({ description }) => description);
}

/** Federation's directives are defined by its specification, not in the file. */
function schemaOf(document: DocumentNode) {
  return buildASTSchema(document, { assumeValidSDL: true });
}

/** The keys of entities, and the types that other subgraphs may define too: graphql ignores applied directives. */
function federationPromises(document: DocumentNode): Set<string> {
  const promises = new Set<string>();
  visit(document, {
    [Kind.OBJECT_TYPE_DEFINITION]({ name, directives }) {
      for (const directive of directives ?? []) {
        if (['key', 'shareable'].includes(directive.name.value)) promises.add(`${name.value} ${print(directive)}`);
      }
    },
  });
  return promises;
}

function announcesBreaking(changelog: string): boolean {
  const [, unreleased = ''] = changelog.split(/^## \[Unreleased\].*$/im);
  const [section = ''] = unreleased.split(/^## /m);
  return /^- BREAKING/m.test(section);
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}
