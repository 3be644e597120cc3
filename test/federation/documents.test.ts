import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checkout } from '../support/checkout.ts';
import { blocksOf } from '../support/markdown.ts';
import { note, PageRun } from '../support/page-run.ts';
import { Terminal } from '../support/terminal.ts';

const page = 'docs/federation.md';
const blocks = blocksOf(await readFile(join(import.meta.dirname, '../..', page), 'utf8')).filter(
  (block) => note(block, 'run by') === 'test/federation/documents.test.ts',
);

describe(`the blocks of ${page} that need other gateways`, () => {
  let checkout: Checkout;
  let terminal: Terminal;
  let pageRun: PageRun;

  beforeAll(async () => {
    checkout = await Checkout.open();
    const installed = 'test/federation/node_modules';
    await symlink(join(import.meta.dirname, 'node_modules'), join(checkout.directory, installed));
    terminal = await Terminal.open(checkout.directory, true);
    pageRun = new PageRun(terminal);
  });
  afterAll(async () => {
    await terminal?.close();
    await checkout?.close();
  });

  it('exist', () => expect(blocks.length).toBeGreaterThan(3));

  it.each(blocks.map((block) => [block.line, block] as const))(
    'line %i does what the page says',
    (_line, block) => pageRun.follow(block),
    60_000,
  );
});
