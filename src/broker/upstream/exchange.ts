import { type ClientRequest, type IncomingMessage, request as makeRequest, type RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { DomainError } from '../../errors.ts';
import { freeBytes, isWorthFreeing } from '../../runtime/free-bytes.ts';
import { badGateway, clientGone, failureOf, requestTimeout, type UpstreamFault, upstreamTimeout } from './failure.ts';
import { MessageBody } from './message-body.ts';
import type { SocketUse, UpstreamSockets } from './sockets.ts';

/** Of an answer. Some pages have policies of 10 KiB in theirs. */
const maxHeaderBytes = 32 * 1024;
const maxHeaders = 256;
/** Answers of the kind "100 Continue" that may come before the answer. */
const maxInformational = 16;

export interface UpstreamResponse {
  readonly status: number;
  /** Names and values in turn. */
  readonly rawHeaders: string[];
  /** Fails with a DomainError. Must be read to its end, or destroyed. */
  readonly body: Readable;
}

export interface ExchangeOptions {
  readonly sockets: UpstreamSockets;
  readonly use: SocketUse;
  readonly method: string;
  readonly path: string;
  /** All of them, names and values in turn. */
  readonly rawHeaders: string[];
  readonly body: Readable | null;
  readonly timeoutMs: number;
  /** How long the client may send nothing of the body while the upstream would take it. */
  readonly bodyMs: number;
  readonly isAllowedAddress: (address: string) => boolean;
  /** Nothing of it needs a socket any more. */
  readonly onEnd: () => void;
}

/** One request on one socket, and the answer to it. */
export class UpstreamExchange {
  readonly response: Promise<UpstreamResponse>;
  readonly #options: ExchangeOptions;
  readonly #request: ClientRequest;
  readonly #response = Promise.withResolvers<UpstreamResponse>();
  /** Of the request; null before it is sent, and without one. */
  #body: MessageBody | null = null;
  #answer: MessageBody | null = null;
  #message: IncomingMessage | null = null;
  #hasWritten = false;
  #failure: DomainError | null = null;
  #readBefore = 0;
  #informational = 0;
  /** For the rest of the request's body, then for the answer. */
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.response = this.#response.promise;
    const { sockets, use, method, path, rawHeaders, timeoutMs } = options;
    const request: RequestOptions & { use: SocketUse } = {
      ...{ agent: sockets, method, path, headers: rawHeaders, use, servername: '', setHost: false },
      ...{ timeout: timeoutMs, maxHeaderSize: maxHeaderBytes, insecureHTTPParser: false },
    };
    this.#request = makeRequest(request)
      .on('socket', this.#send)
      .on('finish', this.#awaitAnswer)
      .on('information', this.#countInformation)
      .on('response', this.#receive)
      .on('upgrade', this.#refuseUpgrade)
      .on('timeout', this.#onIdle)
      .on('error', this.#onError)
      .on('close', this.#onClose);
    // None is dropped without a word: too many are refused.
    this.#request.maxHeadersCount = 0;
    use.signal.addEventListener('abort', this.#abort);
    if (use.signal.aborted) this.#abort();
  }

  /**
   * Whether the request may be sent again after it failed: either nothing of it was written, or its kept-alive socket was closed
   * without a byte of an answer, and it changes nothing (RFC 9110, section 9.2.1) and has no body.
   */
  get mayRepeat(): boolean {
    const { method, body } = this.#options;
    const { socket, reusedSocket } = this.#request;
    if (!reusedSocket || this.#message || this.#failure?.code !== 'BAD_GATEWAY') return false;
    if (!this.#hasWritten) return true;
    return body === null && /^(GET|HEAD|OPTIONS)$/.test(method) && socket?.bytesRead === this.#readBefore;
  }

  /** Before the first byte is written, on each socket, also on one that was kept. */
  readonly #send = (socket: Socket): void => {
    const { body, isAllowedAddress } = this.#options;
    if (socket.destroyed || !socket.writable) {
      this.#fail(badGateway('closed'));
      return;
    }
    if (!isAllowedAddress(socket.remoteAddress ?? '')) {
      this.#fail(badGateway('forbiddenAddress'));
      socket.destroy();
      return;
    }
    this.#readBefore = socket.bytesRead;
    this.#hasWritten = true;
    socket.on('data', this.#freeRead);
    if (!body) {
      this.#request.end();
      return;
    }
    this.#body = new MessageBody(body, clientGone);
    this.#body.on('error', this.#onError).on('data', this.#sendPiece).on('end', this.#sendEnd);
    this.#request.on('drain', this.#sendMore);
    setImmediate(this.#sendHead);
  };

  readonly #sendPiece = (piece: Buffer): void => {
    const isTaken = isWorthFreeing(piece)
      ? this.#request.write(piece, () => freeBytes(piece))
      : this.#request.write(piece);
    if (!isTaken) this.#body?.pause();
    this.#timer?.refresh();
  };

  readonly #sendMore = (): void => {
    this.#body?.resume();
    this.#timer?.refresh();
  };

  readonly #sendEnd = (): void => {
    this.#request.end();
  };

  /** The parser has copied what it needs once all listeners have been called. */
  readonly #freeRead = (bytes: Buffer): void => {
    if (isWorthFreeing(bytes)) process.nextTick(freeBytes, bytes);
  };

  /** The upstream may have something to say before the client sends a body. Usually the first of it has come with the head. */
  readonly #sendHead = (): void => {
    if (this.#failure || this.#request.destroyed) return;
    if (!this.#body?.hasBegun) this.#request.flushHeaders();
    if (!this.#message && this.#isAwaitingClient) this.#timer = setTimeout(this.#onPause, this.#options.bodyMs);
  };

  /** Whether only the client can go on: all that it has sent is on its way to the upstream, and more is to come. */
  get #isAwaitingClient(): boolean {
    return this.#body !== null && !this.#body.readableEnded && !this.#request.writableNeedDrain;
  }

  /** Otherwise the upstream takes nothing at the moment: this is asked again once it does. */
  readonly #onPause = (): void => {
    if (this.#isAwaitingClient) this.#fail(requestTimeout());
  };

  readonly #awaitAnswer = (): void => {
    if (this.#message || this.#failure) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fail(upstreamTimeout('answer')), this.#options.timeoutMs);
  };

  readonly #countInformation = (): void => {
    this.#informational += 1;
    if (this.#informational > maxInformational) this.#fail(badGateway('notHttp'));
  };

  readonly #receive = (message: IncomingMessage): void => {
    if (this.#timer) clearTimeout(this.#timer);
    // An error of it is told by its body, and it has none yet.
    message.on('error', () => {});
    const fault = this.#failure ? 'closed' : faultOf(message);
    if (fault) {
      this.#fail(badGateway(fault));
      return;
    }
    this.#message = message;
    this.#answer = new MessageBody(message, () => badGateway('cut'))
      .on('close', this.#onAnswered)
      .on('error', () => {});
    this.#response.resolve({ status: message.statusCode ?? 0, rawHeaders: message.rawHeaders, body: this.#answer });
  };

  readonly #refuseUpgrade = (_message: IncomingMessage, socket: Socket): void => {
    socket.destroy();
    this.#fail(badGateway('upgrade'));
  };

  /** No byte has come or gone for as long as one may take. */
  readonly #onIdle = (): void => {
    this.#fail(this.#isAwaitingClient && !this.#answer ? requestTimeout() : upstreamTimeout('answer'));
  };

  readonly #abort = (): void => this.#fail(clientGone());

  readonly #onError = (error: Error): void => {
    // Only the sending has failed, and the whole answer is there.
    if (this.#message?.complete) this.#body?.destroy();
    else this.#fail(failureOf(error, this.#answer ? 'cut' : this.#hasWritten ? 'closed' : 'unreachable'));
  };

  readonly #onClose = (): void => {
    if (!this.#message) this.#fail(badGateway('closed'));
  };

  /** The answer has been read, or is given up. What is left of the request's body is not wanted any more. */
  readonly #onAnswered = (): void => {
    const isWhole = this.#message?.complete && this.#request.writableFinished;
    if (!isWhole) this.#request.destroy();
    // Its socket is free once the message has ended, also where nobody has read it.
    this.#message?.resume();
    this.#end();
  };

  #fail(error: DomainError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#response.reject(error);
    this.#request.destroy();
    if (this.#answer) this.#answer.destroy(error);
    else this.#end();
  }

  #end(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#body?.destroy();
    this.#request.socket?.off('data', this.#freeRead);
    this.#options.use.signal.removeEventListener('abort', this.#abort);
    this.#options.onEnd();
  }
}

/** What is wrong with the head of an answer. */
function faultOf({ statusCode = 0, rawHeaders, headers }: IncomingMessage): UpstreamFault | null {
  if (statusCode < 200 || statusCode > 599) return 'notHttp';
  if (rawHeaders.length > 2 * maxHeaders) return 'headers';
  // Any other would hide what the body says, and it is not asked for.
  const coding = headers['transfer-encoding'];
  return coding === undefined || coding.toLowerCase() === 'chunked' ? null : 'coding';
}
