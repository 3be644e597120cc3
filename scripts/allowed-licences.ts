/** Packages that users install, or that are in the bundle, must have a permissive licence. */
export const allowedLicences = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT-0',
]);

/** An SPDX expression without nested parentheses; anything else is refused. */
export function isAllowed(license = ''): boolean {
  const alternatives = license.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return alternatives.some((alternative) => alternative.split(' AND ').every((id) => allowedLicences.has(id)));
}
