import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';

/** An identity provider on loopback: signs tokens, and publishes its keys over HTTP. */
export class Issuer {
  issuer = 'https://issuer.test';
  readonly audience = 'secrets-gateway';
  /** How many times its keys were requested. */
  requests = 0;
  /** Answers instead of the key set. */
  misbehave: ((response: ServerResponse) => void) | null = null;
  /** Published before its own keys. */
  otherKeys: unknown[] = [];
  /** Its discovery document, besides `issuer` and `jwks_uri`. */
  discovery: Record<string, unknown> = {};
  #keys: { privateKey: CryptoKey; jwk: JWK }[] = [];
  readonly #server = createServer((request, response) => {
    const isDiscovery = request.url === '/.well-known/openid-configuration';
    if (!isDiscovery) this.requests += 1;
    if (this.misbehave && !isDiscovery) return this.misbehave(response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isDiscovery ? this.#discoveryDocument : this.jwks));
  });

  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    await issuer.addKey('key-1');
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get jwksUrl(): string {
    return `${this.url}/jwks`;
  }

  /** Of a gateway that trusts this issuer. */
  get settings(): Record<'JWT_ISSUER' | 'JWT_AUDIENCE' | 'JWT_JWKS_URL', string> {
    return { JWT_ISSUER: this.issuer, JWT_AUDIENCE: this.audience, JWT_JWKS_URL: this.jwksUrl };
  }

  get jwks(): { keys: unknown[] } {
    return { keys: [...this.otherKeys, ...this.#keys.map((key) => key.jwk)] };
  }

  get #discoveryDocument(): Record<string, unknown> {
    return { issuer: this.issuer, jwks_uri: this.jwksUrl, ...this.discovery };
  }

  /** Signs with a new key from now on; the previous keys stay published. */
  async addKey(kid: string, alg = 'ES256'): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    this.#keys.push({ privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } });
  }

  /** The current signing key, as it is published. */
  get publicJwk(): JWK {
    return this.#signer().jwk;
  }

  removeKey(kid: string): void {
    this.#keys = this.#keys.filter(({ jwk }) => jwk.kid !== kid);
  }

  /** A token; undefined leaves out a claim or a header. */
  async token(claims: Record<string, unknown> = {}, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
    const { privateKey, jwk } = this.#signer();
    return new SignJWT(this.claims(claims))
      .setProtectedHeader({ alg: jwk.alg ?? '', kid: jwk.kid ?? '', typ: 'at+jwt', ...header })
      .sign(privateKey);
  }

  /** Signs any header and any payload unchanged with an ES256 key, also those that a library refuses. */
  async sign(header: Record<string, unknown>, payload: string): Promise<string> {
    const { privateKey, jwk } = this.#signer();
    const parts = [JSON.stringify({ alg: 'ES256', kid: jwk.kid, ...header }), payload];
    const signed = parts.map((part) => Buffer.from(part).toString('base64url')).join('.');
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
    const signature = await crypto.subtle.sign(algorithm, privateKey, Buffer.from(signed));
    return `${signed}.${Buffer.from(signature).toString('base64url')}`;
  }

  /** The claims of a good token, with these changes. */
  claims(claims: Record<string, unknown> = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.issuer,
      aud: this.audience,
      sub: 'ada',
      scope: 'secrets:read secrets:write',
      teams: ['red'],
      iat: now,
      exp: now + 3600,
      ...claims,
    };
  }

  #signer(): { privateKey: CryptoKey; jwk: JWK } {
    const signer = this.#keys.at(-1);
    if (!signer) throw new Error('the issuer has no key left');
    return signer;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
