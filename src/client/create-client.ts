import { apiKeyOperations } from './api-key-operations.ts';
import { bulkOperations } from './bulk-operations.ts';
import { changeOperations } from './change-operations.ts';
import { deliveryOperations } from './delivery-operations.ts';
import { historyOperations } from './history-operations.ts';
import { type ClientOptions, type Request, Requester } from './request.ts';
import { Sealer } from './sealer.ts';
import { secretOperations } from './secret-operations.ts';

export type Client = ReturnType<typeof createClient>;

/**
 * A client of a gateway, for browsers and Node. Every call is sent once: what may be tried again is yours to decide.
 * Calls throw GatewayError when the gateway refuses, and TransportError when none answers.
 * @throws TypeError when the URL cannot be used, or not exactly one credential is given
 */
export function createClient(options: ClientOptions) {
  const requester = new Requester(options);
  const request: Request = (document, variables, call) => requester.request(document, variables, call);
  const sealer = new Sealer(request);
  return {
    request,
    ...secretOperations(request, sealer),
    ...bulkOperations(request, sealer),
    ...historyOperations(request),
    ...deliveryOperations(request),
    ...apiKeyOperations(request),
    ...changeOperations(requester),
  };
}
