import type { Pointer } from '../runtime/json-pointer.ts';
import type { ClaimMapping } from './claim-mapping.ts';

/** Where an issuer publishes its keys; null where its discovery document says so. */
export type KeyLocation =
  | { readonly url: string }
  /** `variable`: the setting that names the file, for errors. */
  | { readonly file: string; readonly variable: string }
  | null;

/** What the settings say of an issuer. */
export interface IssuerSettings {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly audienceClaim: Pointer;
  readonly jwks: KeyLocation;
  readonly algorithms: readonly string[];
  /** Whether its keys may come over plain HTTP from beyond loopback. */
  readonly allowHttp: boolean;
  readonly claims: ClaimMapping;
}
