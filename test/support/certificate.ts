import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whether this machine can make certificates. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

export interface Certificate {
  readonly certificateFile: string;
  /** The key and the certificate, as mongod wants them. */
  readonly bothFile: string;
}

/** A self-signed certificate for `localhost`, in a directory. */
export function makeCertificate(directory: string, name = 'server'): Certificate {
  const [key, certificateFile, bothFile] = ['key', 'cert', 'both'].map((part) =>
    join(directory, `${name}-${part}.pem`),
  ) as [string, string, string];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-nodes', '-days', '2', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificateFile],
    ],
    { stdio: 'ignore' },
  );
  writeFileSync(bothFile, readFileSync(key, 'utf8') + readFileSync(certificateFile, 'utf8'), { mode: 0o600 });
  return { certificateFile, bothFile };
}

/** The same key and name, in a certificate that has expired. @returns its file */
export function expiredCertificate(directory: string, { certificateFile, bothFile }: Certificate): string {
  const file = join(directory, 'expired-cert.pem');
  const options = ['-in', certificateFile, '-signkey', bothFile, '-days', '-1', '-out', file];
  execFileSync('openssl', ['x509', ...options], { stdio: 'ignore' });
  return file;
}
