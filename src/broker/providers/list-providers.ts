import { authenticated } from '../../identity/authorize.ts';
import type { Caller } from '../../model/caller.ts';
import type { Provider } from '../../model/provider.ts';
import type { Dependencies } from '../../secrets/dependencies.ts';

/**
 * The providers that the gateway knows, in the order of their ids.
 * @throws DomainError UNAUTHORIZED
 */
export function listProviders({ providers }: Pick<Dependencies, 'providers'>, caller: Caller): readonly Provider[] {
  authenticated(caller);
  return providers.rows;
}
