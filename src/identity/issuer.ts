import type { Pointer } from '../runtime/json-pointer.ts';
import type { ClaimMapping } from './claim-mapping.ts';
import type { KeySet } from './key-set.ts';

/** An issuer whose tokens are accepted. */
export interface Issuer {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /** A token needs one of them. */
  readonly audience: readonly string[];
  /** Where a token has its audience. */
  readonly audienceClaim: Pointer;
  readonly algorithms: readonly string[];
  readonly claims: ClaimMapping;
  readonly keySet: Pick<KeySet, 'verify' | 'generation'>;
}
