import { secretOperations } from '../../client/secret-operations.ts';
import { type Gateway, openGateway } from './gateway.ts';
import type { GatewayOptions } from './options.ts';

/** A gateway, with what the published client does with secrets: it seals what is written. */
export interface GatewayClient extends Gateway {
  readonly client: ReturnType<typeof secretOperations>;
}

/** @throws UsageError, CommandFailure */
export async function openClient(options: GatewayOptions): Promise<GatewayClient> {
  const gateway = await openGateway(options);
  return { ...gateway, client: secretOperations(gateway.request) };
}
