import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  type DocumentNode,
  extendSchema,
  type GraphQLSchema,
  Kind,
  parse,
  print,
  validate,
  visit,
} from 'graphql';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checkout } from '../support/checkout.ts';
import { type Block, blocksOf } from '../support/markdown.ts';
import { note, PageRun, unknownNotes } from '../support/page-run.ts';
import { Terminal } from '../support/terminal.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
// What docs/commands.md shows is compared with the commands themselves by `npm run commands:check`.
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root, exclude: ['docs/commands.md'] })
  .map((page) => ({ page, blocks: blocksOf(read(page)) }))
  .filter(({ blocks }) => blocks.length > 0);

const isRunHere = (block: Block) => note(block, 'not run: needs') === undefined && note(block, 'run by') === undefined;
const startsGateway = (block: Block) => block.text.includes('npm start') && note(block, 'keeps running') !== undefined;

it('the pages include README.md, which shows how to start', () => {
  const readme = pages.find(({ page }) => page === 'README.md');
  expect(readme?.blocks.some(startsGateway)).toBe(true);
});

// Pages run beside each other: they wait for processes, and one for 13 seconds. The blocks of a page need those before them.
const oneAfterTheOther = { concurrent: false };

describe.concurrent.each(pages)('the blocks of $page', ({ page, blocks }) => {
  const run = blocks.filter(isRunHere);
  // A page whose documents are only checked against the schema needs no gateway.
  const needsShell = run.some(({ language }) => language !== 'graphql');
  let checkout: Checkout;
  let terminal: Terminal;
  let pageRun: PageRun;

  beforeAll(async () => {
    if (!needsShell) return;
    checkout = await Checkout.open('run');
    // The pages say npm and npx everywhere. That these do what a page expects is seen once.
    terminal = await Terminal.open(checkout.directory, page !== 'README.md');
    pageRun = new PageRun(terminal);
    if (!run.some(startsGateway)) {
      await terminal.start('npm start', ['  GraphiQL and GraphQL   http://127.0.0.1:4000/graphql', '  Stop: Ctrl-C']);
      await letExamplesFindIt();
      await createOneSecretOfEachOwner();
    }
  });
  afterAll(async () => {
    await terminal?.close();
    await checkout?.close();
  });

  it('are run here, or have a note that says why not', oneAfterTheOther, () => {
    for (const block of blocks) {
      expect({ line: block.line, unknown: unknownNotes(block) }).toEqual({ line: block.line, unknown: [] });
      const file = note(block, 'run by');
      if (file !== undefined) expect(read(file)).toContain(page);
    }
  });

  it.each(run.map((block) => [block.line, block.language, block] as const))(
    'line %i, %s, does what the page says',
    { ...oneAfterTheOther, timeout: 120_000 },
    async (_line, language, block) => {
      if (language === 'graphql') expectValid(parse(block.text), blocks);
      if (needsShell) await pageRun.follow(block);
      if (startsGateway(block)) await letExamplesFindIt();
    },
  );

  if (page === 'README.md') {
    it('curl, GraphiQL and the example use the same subject, and see the same secret', oneAfterTheOther, async () => {
      const url = terminal.bindings.substitute('http://127.0.0.1:4000/graphql');
      const html = await (await fetch(url, { headers: { accept: 'text/html' } })).text();
      const [, token = ''] = /Bearer ([\w.-]+)/.exec(html) ?? [];
      expect(decodeJwt(token).sub).toBe('developer');
      expect(decodeJwt(await pageRun.token()).sub).toBe('developer');
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query: '{ secrets { nodes { name maskedValue } } }' }),
      });
      const { data } = await answer.json();
      expect(data.secrets.nodes).toEqual([{ name: 'OPENAI_API_KEY', maskedValue: 'sk-pro••••789' }]);
    });
  }

  /** The examples use the default port of the gateway. */
  function letExamplesFindIt() {
    return terminal.run('export SECRETS_GATEWAY_URL=http://127.0.0.1:4000/graphql');
  }

  async function createOneSecretOfEachOwner() {
    for (const owner of ['{}', '{ teamId: "demo" }', '{ teamId: "demo", connectorId: "crm" }']) {
      const input = `{ owner: ${owner}, name: "EXAMPLE", provider: "openai", value: "an example" }`;
      expect(await pageRun.ask(`mutation { createSecret(input: ${input}) { secret { id } } }`)).not.toHaveProperty(
        'errors',
      );
    }
  }
});

/** Also checks the types that the page defines for another subgraph, which must use the keys of our entities. */
function expectValid(document: DocumentNode, blocks: readonly Block[]) {
  if (isTypes(document)) {
    const ours = keysOf(parse(read('schema/subgraph.graphql')));
    const theirs = [...keysOf(document)];
    expect(theirs.length).toBeGreaterThan(0);
    for (const [type, key] of theirs) expect([type, ours.get(type)]).toEqual([type, key]);
    return;
  }
  const types = blocks
    .filter(({ language }) => language === 'graphql')
    .map(({ text }) => parse(text))
    .filter(isTypes);
  const schema = types.reduce(
    (extended, more) => extendSchema(extended, beside(extended, more), { assumeValidSDL: true }),
    buildSchema(read('schema/schema.graphql')),
  );
  expect(validate(schema, document)).toEqual([]);
}

function isTypes(document: DocumentNode): boolean {
  return document.definitions.every(({ kind }) => kind === Kind.OBJECT_TYPE_DEFINITION);
}

/** The definitions that the types of another subgraph add to ours. */
function beside(schema: GraphQLSchema, document: DocumentNode): DocumentNode {
  return visit(document, {
    [Kind.DIRECTIVE]: () => null,
    [Kind.OBJECT_TYPE_DEFINITION](node) {
      const type = schema.getType(node.name.value);
      if (!type) return undefined;
      const known = 'getFields' in type ? type.getFields() : {};
      const fields = (node.fields ?? []).filter(({ name }) => !(name.value in known));
      return fields.length === 0 ? null : { ...node, kind: Kind.OBJECT_TYPE_EXTENSION, fields };
    },
  });
}

function keysOf(document: DocumentNode): Map<string, string> {
  const keys = new Map<string, string>();
  visit(document, {
    [Kind.OBJECT_TYPE_DEFINITION]({ name, directives }) {
      const [fields] = directives?.find((directive) => directive.name.value === 'key')?.arguments ?? [];
      if (fields) keys.set(name.value, print(fields.value));
    },
  });
  return keys;
}
