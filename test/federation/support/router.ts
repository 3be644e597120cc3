import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A gateway of the graph in its own process, as the page starts it, with all that it prints at debug. */
export async function startRouter(example: 'apollo-gateway' | 'hive-gateway', supergraph: string) {
  const directory = await mkdtemp(join(tmpdir(), 'secrets-gateway-router-'));
  await writeFile(join(directory, 'supergraph.graphql'), supergraph);
  const child = spawn(process.execPath, [join(import.meta.dirname, `../examples/${example}.ts`)], {
    cwd: directory,
    env: { PATH: process.env.PATH, PORT: '0', LOG_LEVEL: 'debug', METADATA_SERVER_DETECTION: 'none' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const closed = once(child, 'close');
  let printed = '';
  const url = await new Promise<string>((resolve, reject) => {
    void closed.then(() => reject(new Error(`${example} ended: ${printed}`)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        const started = /Gateway: (http\S+)/.exec(printed)?.[1];
        if (started) resolve(started);
      });
    }
  });
  return {
    url,
    /** Everything that it printed until now. */
    printed: () => printed,
    async close() {
      process.off('exit', kill);
      child.kill();
      await closed;
      await rm(directory, { recursive: true });
    },
  };
}
