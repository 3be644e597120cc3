import { lookup } from 'node:dns/promises';
import { ConfigurationError } from '../errors.ts';
import { isLoopback } from '../runtime/secure-url.ts';
import type { HttpServer } from './server.ts';

const notHere = 'HOST is not an address of this machine. Set it to one that is, or to 127.0.0.1.';

/**
 * The address that HOST names. Even localhost may be the name of an address beyond loopback.
 * @throws ConfigurationError
 */
export async function addressOf({
  host,
  production,
}: {
  readonly host: string;
  readonly production: boolean;
}): Promise<string> {
  const { address } = await lookup(host).catch(() => {
    throw new ConfigurationError(notHere);
  });
  if (production || isLoopback(address)) return address;
  throw new ConfigurationError('HOST is a name of an address beyond loopback. Set HOST to the address itself.');
}

/** @throws ConfigurationError when the address cannot be listened on */
export async function listen(server: HttpServer, port: number, address: string): Promise<number> {
  try {
    return await server.listen(port, address);
  } catch (error) {
    const fixes: Record<string, string> = {
      EADDRINUSE: `PORT ${port} is in use. Stop what uses it, or set PORT to another.`,
      EACCES: `PORT ${port} needs more rights. Set PORT to 1024 or above.`,
      EADDRNOTAVAIL: notHere,
    };
    const fix = fixes[(error as NodeJS.ErrnoException).code ?? ''];
    throw fix === undefined ? error : new ConfigurationError(fix);
  }
}
