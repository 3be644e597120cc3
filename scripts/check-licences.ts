import { readFileSync } from 'node:fs';

// Packages that users install must have a permissive licence.
const allowed = new Set(['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0']);

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
    `${refused.length} of ${runtime.length} runtime packages have a licence other than ${[...allowed].join(', ')}.`,
  );
  process.exitCode = 1;
} else {
  console.log(`${runtime.length} runtime packages, all under a permissive licence.`);
}

/** An SPDX expression without nested parentheses; anything else is refused. */
function isAllowed(license = ''): boolean {
  const alternatives = license.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return alternatives.some((alternative) => alternative.split(' AND ').every((id) => allowed.has(id)));
}
