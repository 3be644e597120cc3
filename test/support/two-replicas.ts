import { join } from 'node:path';
import { FaultyLink } from './faulty-link.ts';
import { newDatabaseUrl, TestGateway } from './gateway.ts';

/** Two gateways on one database. What the second one asks of it goes over a link that can be cut. */
export class TwoReplicas {
  readonly here: TestGateway;
  readonly there: TestGateway;
  readonly link: FaultyLink;

  private constructor(here: TestGateway, there: TestGateway, link: FaultyLink) {
    this.here = here;
    this.there = there;
    this.link = link;
  }

  static async start(env: Record<string, string> = {}): Promise<TwoReplicas> {
    const url = new URL(newDatabaseUrl('mongodb', ''));
    const here = await TestGateway.start('mongodb', { RATE_LIMIT: 'off', ...env, DATABASE_URL: url.href });
    const link = await FaultyLink.open({ host: url.hostname, port: Number(url.port) });
    const linked = new URL(url);
    linked.port = String(link.port);
    linked.search = '?directConnection=true';
    const there = await TestGateway.start('mongodb', {
      RATE_LIMIT: 'off',
      ...env,
      DATABASE_URL: linked.href,
      KEYRING_FILE: join(here.directory, 'keyring.json'),
      JWT_JWKS_URL: here.issuer.jwksUrl,
    });
    return new TwoReplicas(here, there, link);
  }

  async close(): Promise<void> {
    await this.there.close();
    await this.here.close();
    await this.link.close();
  }
}
