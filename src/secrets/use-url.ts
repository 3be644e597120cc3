import type { Secret } from '../model/secret.ts';
import type { Dependencies } from './dependencies.ts';

/** Where requests with a secret's value are sent; null where it has no destination. Whoever sees the secret may know it. */
export function useUrlOf({ publicUrl }: Dependencies, { id, destination }: Secret): string | null {
  return destination && `${publicUrl()}/v1/use/${id}`;
}
