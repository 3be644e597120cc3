import type { Provider } from '../../model/provider.ts';
import type { ProviderCheck } from '../../model/provider-check.ts';

/** A provider as the table has it. What is left out of its destination is as with OAuth 2.0 access tokens (RFC 6750, section 2.1). */
export interface Row extends Pick<Provider, 'title' | 'keyPrefixes' | 'sdkHeaders'> {
  readonly origin: string;
  readonly header?: string;
  readonly format?: string;
  /** Without them every path of the origin. */
  readonly paths?: readonly string[];
  /** A GET, unless it says otherwise. It costs nothing, needs no permission, and is refused to keys that nobody has. */
  readonly check: Partial<ProviderCheck> & Pick<ProviderCheck, 'path'>;
}
