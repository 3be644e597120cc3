import type { ClientRequest, IncomingMessage } from 'node:http';
import { unreachable } from '../../client/request.ts';
import { CommandFailure } from '../failure.ts';
import type { Credential } from './connection.ts';
import type { Body } from './request-body.ts';
import type { UseRequest } from './use-request.ts';
import type { UseTarget } from './use-target.ts';

export interface SentUse {
  readonly answer: IncomingMessage;
  /** Ends what is left of the request: its answer may come before all of its body is read. */
  readonly end: () => void;
}

/**
 * Sends a request to the broker once, and waits until an answer begins. No redirect is followed.
 * @throws CommandFailure
 */
export async function sendUse(
  { broker, path, credential }: UseTarget,
  request: UseRequest,
  body: Body | null,
): Promise<SentUse> {
  const url = new URL(broker.url);
  const module = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const { method, silenceMs } = request;
  // The path as it is: a URL would take dots out of it.
  const sent = module.request(url, { method, path: url.pathname.replace(/\/$/, '') + path });
  for (const [name, value] of headersFor(credential, request, body)) sent.setHeader(name, value);
  let answer: IncomingMessage | undefined;
  // Who reads the answer gets the error.
  const fail = (error: Error) => void (answer ?? sent).destroy(error);
  if (silenceMs > 0) {
    onSilence(sent, silenceMs, () => {
      const message = `Nothing came for ${silenceMs / 1000} s. --timeout SECONDS waits longer.`;
      fail(new CommandFailure(message, answer ? 'failed' : 'unreachable'));
    });
  }
  const end = () => {
    sent.destroy();
    body?.close();
  };
  try {
    answer = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      // Behind an answer it has no effect: the answer says what is wrong.
      sent.on('error', reject);
      writeBody(body, sent).catch(fail);
    });
    return { answer, end };
  } catch (error) {
    end();
    if (error instanceof CommandFailure) throw error;
    const { message } = unreachable(broker.url, error);
    throw new CommandFailure(`${message} Is it running there? ${broker.setting} says where it is.`, 'unreachable');
  }
}

/** As fast as the gateway reads it. */
async function writeBody(body: Body | null, sent: ClientRequest): Promise<void> {
  // The first piece may take its time.
  sent.flushHeaders();
  for await (const piece of body?.pieces ?? []) {
    if (sent.destroyed) return;
    if (!sent.write(piece)) await drained(sent);
  }
  sent.end();
}

function drained(sent: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      sent.off('drain', settle).off('close', settle);
      resolve();
    };
    sent.on('drain', settle).on('close', settle);
  });
}

/** Calls back when nothing goes and nothing comes. */
function onSilence(sent: ClientRequest, silenceMs: number, onSilent: () => void): void {
  sent.setTimeout(silenceMs, () => {
    const received = sent.socket?.bytesRead;
    // While standard output was blocked, time went by, and what has arrived meanwhile is not read yet.
    setImmediate(() => {
      if (process.stdout.writableNeedDrain || sent.socket?.bytesRead !== received) sent.socket?.setTimeout(silenceMs);
      else onSilent();
    });
  });
}

/** The gateway's credential is in a header of its own, so that it is never sent on. */
function headersFor(
  { header, secret }: Credential,
  { headers }: UseRequest,
  body: Body | null,
): [name: string, value: string | readonly string[]][] {
  // Of two keys under one name the gateway could not tell which is its own.
  const isKey = header === 'x-api-key' && !headers.has('x-api-key');
  return [
    ['User-Agent', 'secrets-gateway'],
    ['Accept', '*/*'],
    ...(body?.type === undefined ? [] : [['Content-Type', body.type] as [string, string]]),
    ...[...headers.values()].map(({ name, values }): [string, readonly string[]] => [name, values]),
    ...(body === null ? [] : [framing(body)]),
    isKey ? ['X-API-Key', secret] : ['Proxy-Authorization', `Bearer ${secret}`],
  ];
}

/** Node frames a DELETE as if it had none. */
function framing({ length }: Body): [name: string, value: string] {
  return length === undefined ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(length)];
}
