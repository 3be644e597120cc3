import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';

/** An identity provider on loopback: signs tokens, and publishes its keys over HTTP. */
export class Issuer {
  readonly issuer = 'https://issuer.test';
  readonly audience = 'secrets-gateway';
  /** How often its keys were asked for. */
  requests = 0;
  /** How it answers instead of with its keys. */
  misbehave: ((response: ServerResponse) => void) | null = null;
  #keys: { privateKey: CryptoKey; jwk: JWK }[] = [];
  readonly #server = createServer((_request, response) => {
    this.requests += 1;
    if (this.misbehave) return this.misbehave(response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: this.#keys.map((key) => key.jwk) }));
  });

  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    await issuer.addKey('key-1');
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get jwksUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks`;
  }

  /** Signs with a new key from now on; the earlier ones stay published. */
  async addKey(kid: string): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    this.#keys.push({ privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } });
  }

  removeKey(kid: string): void {
    this.#keys = this.#keys.filter(({ jwk }) => jwk.kid !== kid);
  }

  /** A token; undefined leaves a claim or a header out. */
  async token(claims: Record<string, unknown> = {}, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
    const signer = this.#keys.at(-1);
    if (!signer) throw new Error('the issuer has no key left');
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: this.issuer,
      aud: this.audience,
      sub: 'ada',
      scope: 'secrets:read secrets:write',
      teams: ['red'],
      iat: now,
      exp: now + 3600,
      ...claims,
    };
    return new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', kid: signer.jwk.kid ?? '', typ: 'at+jwt', ...header })
      .sign(signer.privateKey);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
