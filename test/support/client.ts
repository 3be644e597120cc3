import { inspect } from 'node:util';
import { type GatewayError, isGatewayError, isTransportError, type TransportError } from '../../src/client/index.ts';

/** The error of the gateway that a call rejects with. */
export async function refusalOf(call: Promise<unknown>): Promise<GatewayError> {
  const error = await rejectionOf(call);
  if (!isGatewayError(error)) throw new Error(`not an error of the gateway: ${inspect(error)}`);
  return error;
}

/** The error that a call rejects with when no gateway answers. */
export async function transportFaultOf(call: Promise<unknown>): Promise<TransportError> {
  const error = await rejectionOf(call);
  if (!isTransportError(error)) throw new Error(`not a fault of the transport: ${inspect(error)}`);
  return error;
}

export async function rejectionOf(call: Promise<unknown>): Promise<unknown> {
  const result = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in result) throw new Error(`it did not reject: ${inspect(result.value)}`);
  return result.error;
}
