import { type IncomingMessage, METHODS } from 'node:http';
import { badRequest } from '../errors.ts';
import { hasBody } from '../http/body.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Identify } from '../http/identify.ts';
import type { Budget } from '../http/rate-limit/budget.ts';
import { problemErrors } from '../http/refusal.ts';
import type { Route } from '../http/route.ts';
import { StreamedBody, trailersRefused } from '../http/streamed-body.ts';
import { isSecureTransport } from '../http/transport.ts';
import type { Authenticate, Credential } from '../identity/authenticate.ts';
import { unauthorized } from '../identity/authorize.ts';
import type { Caller } from '../model/caller.ts';
import type { Log } from '../runtime/log.ts';
import type { Trace } from '../runtime/trace.ts';
import { type BrokerCredential, brokerCredentialOf } from './credential.ts';
import { decompressed } from './decompress.ts';
import type { OpenUses } from './open-uses.ts';
import { refuseOwnCredentials } from './own-credentials.ts';
import { passOn } from './pass-on.ts';
import { requestHeaders } from './request-headers.ts';
import { type OnUse, RunningUse } from './running-use.ts';
import { Scrubber } from './scrub/scrub.ts';
import { brokerPath, isForBroker, readTarget } from './target.ts';
import type { Forwarder } from './upstream/forward.ts';
import type { OpenedSecret, UseSecretInput } from './use-secret.ts';

export interface BrokerRouteOptions {
  readonly identify: Identify;
  readonly authenticate: Authenticate;
  readonly budget: Budget;
  readonly useSecret: (caller: Caller, input: UseSecretInput) => Promise<OpenedSecret>;
  /** Whether a JWT claims to be of an issuer of the gateway. */
  readonly isOwnToken: (jwt: string) => boolean;
  readonly forwarder: Forwarder;
  readonly uses: OpenUses;
  /** How long the upstream may be silent, and how long the client may read nothing. */
  readonly timeoutMs: number;
  readonly trustProxy: boolean;
  readonly trace: Trace;
  readonly log: Log;
  readonly onUse: OnUse;
}

const maxBodyBytes = 1024 * 1024 * 1024;
/** The commit of the event has begun by then, or is not begun. */
const writeMs = 10_000;
/** By then the upstream is asked, or the client has been told why not. */
const prepareMs = 25_000;
/** The upstream's silence is told before the client's connection ends. */
const graceMs = 5000;

/** CONNECT and TRACE are none of an API. */
const methods = METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE');

/** `ANY /v1/use/SECRET/path`: a request that is sent on to the secret's destination, with the value put in. */
export function brokerRoute(options: BrokerRouteOptions): Route {
  return {
    path: brokerPath,
    isPrefix: true,
    accepts: ({ url = '' }) => isForBroker(url),
    methods,
    admission: 'own',
    anyHost: false,
    crossOrigin: true,
    exposedHeaders: 'Secrets-Gateway-Error, *',
    limits: { maxBodyBytes, arrivalMs: 0, idleMs: prepareMs, totalMs: prepareMs + graceMs },
    errors: problemErrors,
    answer: (exchange) => new RunningUse(exchange, options).run((running) => carry(options, exchange, running)),
  };
}

async function carry(options: BrokerRouteOptions, exchange: Exchange, running: RunningUse): Promise<void> {
  const { forwarder, timeoutMs, authenticate } = options;
  const { request, response } = exchange;
  refuseUnsupported(request);
  // Before anything is waited for: see StreamedBody.
  const body = hasBody(request) ? running.reads(new StreamedBody(request, maxBodyBytes)) : null;
  const { use, headers, credential } = await prepare(options, exchange, running);
  exchange.beginStream(timeoutMs + graceMs);
  running.sent();
  // A token is not revoked, and answers may outlast it.
  if (credential.type === 'apiKey') running.verifies(() => authenticate(credential, () => {}));
  const { origin, pathAndQuery: path } = use.url;
  const { signal, ownerKey } = running;
  const { method = '' } = request;
  const answer = await forwarder.send({ ownerKey, origin, path, method, headers, body, signal });
  const { status } = answer;
  running.answered(status);
  const recording = use.recordHealth(status);
  if (recording) await running.waitForRecording(recording);
  const content = decompressed(answer, method !== 'HEAD' && status !== 204 && status !== 304);
  const place = { origin, path, useUrl: use.useUrl, gatewayHost: request.headers.host ?? '' };
  await passOn({ ...content, status, request, response, scrubber: new Scrubber(use.value), place, maxBodyBytes });
}

/** All that is to be known before the upstream is asked. The audit event is durable then. */
async function prepare(
  { identify, budget, useSecret, isOwnToken, trustProxy, trace }: BrokerRouteOptions,
  exchange: Exchange,
  running: RunningUse,
): Promise<{ readonly use: OpenedSecret; readonly headers: string[]; readonly credential: Credential }> {
  const { request, response, requestId } = exchange;
  let used: BrokerCredential | undefined;
  const principal = await identify(exchange, (sent) => {
    used = brokerCredentialOf(sent);
    return used.credential;
  });
  if (!used) throw unauthorized();
  running.principal = principal;
  await budget.spend(principal, request, response, 1);
  const target = readTarget(request.url ?? '');
  refuseOwnCredentials(target, request.rawHeaders, used, isOwnToken);
  const { header: credentialHeader, credential } = used;
  const caller: Caller = {
    principal,
    requestId,
    answer: running.answer,
    writeDeadlineMs: performance.now() + writeMs,
    secureTransport: isSecureTransport(request, trustProxy),
  };
  const { method = '' } = request;
  const admit: UseSecretInput['admit'] = (owner) => running.admit(owner);
  const use = await trace('broker.use', () => useSecret(caller, { ...target, method, credentialHeader, admit }));
  const { destination, value } = use;
  const headers = requestHeaders(request.rawHeaders, { destination, value, credentialHeader });
  return { use, headers, credential };
}

/** @throws DomainError BAD_REQUEST for what is more than one request and its answer */
function refuseUnsupported({ headers }: IncomingMessage): void {
  const isUpgrade = /(^|,)\s*upgrade\s*(,|$)/i.test(headers.connection ?? '');
  if (headers.upgrade !== undefined || isUpgrade) {
    throw badRequest('Send the request without Upgrade: WebSocket and other protocols are not passed on.');
  }
  if (headers.trailer !== undefined) throw trailersRefused();
}
