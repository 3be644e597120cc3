import { readFileSync } from 'node:fs';
import { allowedLicences, isAllowed } from './allowed-licences.ts';

interface LockedPackage {
  version: string;
  license?: string;
  dev?: boolean;
  link?: boolean;
}

const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
  readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'),
);
const runtime = Object.entries(lock.packages).filter(([path, { dev, link }]) => path !== '' && !dev && !link);
const refused = runtime.filter(([, { license }]) => !isAllowed(license));

for (const [path, { version, license }] of refused) {
  console.error(`${path.replace(/^.*node_modules\//, '')}@${version}: ${license ?? 'no licence named'}`);
}
if (runtime.length === 0) {
  console.error('package-lock.json lists no runtime package: is it whole?');
  process.exitCode = 1;
} else if (refused.length > 0) {
  console.error(
    `${refused.length} of ${runtime.length} runtime packages have a licence other than ${[...allowedLicences].join(', ')}.`,
  );
  process.exitCode = 1;
} else {
  console.log(`${runtime.length} runtime packages, all under a permissive licence.`);
}
