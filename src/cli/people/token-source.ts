import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { isSecureUrl } from '../../runtime/secure-url.ts';
import { didYouMean, nearestWords } from '../../runtime/spelling.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import type { Environment } from './environment.ts';

const maxTokenBytes = 64 * 1024;

/**
 * The token in a file that nobody else can read.
 * @throws CommandFailure
 */
export async function readTokenFile(path: string): Promise<string> {
  // A FIFO opens at once. The path is not repeated before it is one: it may be the token itself.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY).catch(
    (error: NodeJS.ErrnoException) => {
      throw noToken(`--token-file: ${whyNotOpened(error)}`);
    },
  );
  const shown = printable(path);
  try {
    const { mode, uid, size } = await file.stat();
    if ((mode & 0o170000) !== 0o100000) throw noToken(`--token-file ${shown}: it is not a regular file.`);
    if ((mode & 0o077) !== 0) {
      throw noToken(`--token-file ${shown}: others can read or write it. Run: chmod 600 ${shown}`);
    }
    const ownUser = process.getuid?.();
    if (ownUser !== undefined && uid !== ownUser && uid !== 0) {
      throw noToken(`--token-file ${shown}: it belongs to another user. Make a copy of your own.`);
    }
    return await readToken(file, size, `--token-file ${shown}`);
  } finally {
    await file.close();
  }
}

const sources = ['kubernetes', 'github-actions'] as const;

/** @param source the value of SECRETS_GATEWAY_TOKEN_SOURCE */
export async function tokenFrom(source: string, env: Environment): Promise<string> {
  switch (source) {
    case 'kubernetes':
      return kubernetesToken();
    case 'github-actions':
      return githubToken(env);
    default:
      throw new CommandFailure(
        `SECRETS_GATEWAY_TOKEN_SOURCE must be one of: ${sources.join(', ')}.${didYouMean(nearestWords(source, sources))}`,
        'usage',
      );
  }
}

/** A token that was projected for the gateway, with its audience; else the pod's own. */
const kubernetesPaths = [
  '/var/run/secrets/tokens/secrets-gateway',
  '/var/run/secrets/kubernetes.io/serviceaccount/token',
] as const;

/** The kubelet decides its mode, and renews it: it is read anew by each command. */
export async function kubernetesToken(paths: readonly string[] = kubernetesPaths): Promise<string> {
  for (const path of paths) {
    const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      throw noToken(`SECRETS_GATEWAY_TOKEN_SOURCE=kubernetes: ${path}: ${whyNotOpened(error)}`);
    });
    if (!file) continue;
    try {
      return await readToken(file, (await file.stat()).size, path);
    } finally {
      await file.close();
    }
  }
  throw noToken(
    `SECRETS_GATEWAY_TOKEN_SOURCE=kubernetes: there is no token at ${paths.join(' or ')}. Project a service account token with the audience of the gateway to the first, or name another path with --token-file.`,
  );
}

const requestTimeoutMs = 10_000;

/** Asks GitHub for a token of this run: docs.github.com, "OpenID Connect reference". */
async function githubToken(env: Environment): Promise<string> {
  const what = 'SECRETS_GATEWAY_TOKEN_SOURCE=github-actions';
  const [text, bearer] = [env.ACTIONS_ID_TOKEN_REQUEST_URL, env.ACTIONS_ID_TOKEN_REQUEST_TOKEN];
  if (!text || !bearer) {
    throw noToken(`${what}: this run may not ask for a token. Give the job "permissions: id-token: write".`);
  }
  const url = URL.parse(text);
  if (!url || !isSecureUrl(text)) throw noToken(`${what}: ACTIONS_ID_TOKEN_REQUEST_URL is no https: URL.`);
  url.searchParams.set('audience', env.SECRETS_GATEWAY_TOKEN_AUDIENCE?.trim() || 'secrets-gateway');
  let answer: unknown;
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${bearer}`, accept: 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    if (!response.ok) throw noToken(`${what}: GitHub refuses to make a token (status ${response.status}).`);
    answer = await response.json();
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw noToken(`${what}: GitHub cannot be asked for a token. Run this again.`);
  }
  const value = typeof answer === 'object' && answer !== null && 'value' in answer ? answer.value : null;
  if (typeof value !== 'string' || value === '') throw noToken(`${what}: what GitHub answers is no token.`);
  return value;
}

async function readToken(file: FileHandle, size: number, what: string): Promise<string> {
  if (size > maxTokenBytes) throw noToken(`${what}: it is too large for a token. Check that it is the right file.`);
  const token = (await file.readFile('utf8')).trim();
  if (token === '') throw noToken(`${what}: it is empty.`);
  return token;
}

function whyNotOpened({ code }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such file.';
  return code === 'EACCES' ? 'this user cannot read it.' : `it cannot be read (${code}).`;
}

function noToken(message: string): CommandFailure {
  return new CommandFailure(message, 'unauthenticated');
}
