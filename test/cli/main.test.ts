import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from '../support/command-line.ts';

let shell: CommandLine;

beforeEach(async () => {
  shell = await CommandLine.open();
});
afterEach(() => shell.close());

describe('secrets-gateway', () => {
  it('schema prints the SDL of the subgraph, as the gateway answers it to a composer', async () => {
    const { code, stdout, stderr } = await shell.run(['schema']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const gateway = await shell.serve();
    const { data } = await gateway.run('{ _service { sdl } }');
    expect(stdout).toBe(data._service.sdl);
    expect(stdout).toContain('type Secret');
  });

  const oldNode = (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'node'))
    .find((node) => /^v(1\d|2[0-5])\./.test(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout ?? ''));

  it.skipIf(!oldNode)('reports a Node that is too old, with what to do (skipped where PATH has none)', async () => {
    const { code, stdout, stderr } = await shell.run(['serve'], {}, { node: oldNode });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^secrets-gateway needs Node 26 or newer; this is Node \d+\.\d+\.\d+\.\n.*npm start/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
