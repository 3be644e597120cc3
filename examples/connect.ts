import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
// In a project of yours: from 'secrets-gateway/client'.
import { createClient, isTransportError } from '../src/client/index.ts';

/** The credential of every example. */
export const token = process.env.SECRETS_GATEWAY_TOKEN ?? developmentToken();

/** The client of every example: of the gateway that `npm start` runs in this folder, or of the one that you name. */
export const client = createClient({ url: process.env.SECRETS_GATEWAY_URL ?? 'http://127.0.0.1:4000', token });

export const { subject } = await client.viewer().catch((error: unknown) => {
  if (!isTransportError(error, 'UNREACHABLE')) throw error;
  console.error(`${error.message} Run "npm start" in another terminal, or set SECRETS_GATEWAY_URL.`);
  process.exit(1);
});

/** The gateway that `npm start` runs in this folder accepts it, and no other. */
function developmentToken(): string {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const command = ['bin/secrets-gateway.js', 'token', '--sub', 'developer', '--team', 'demo:admin'];
  return execFileSync(process.execPath, command, { cwd, encoding: 'utf8' }).trim();
}
