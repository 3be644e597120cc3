const bullets = '••••';

/**
 * What may be shown of a value: its first 6 and last 3 characters around four bullets, such as `sk-pro••••789`. At most a
 * quarter of the characters are shown, and none of a value under 16 characters, so that the hidden part cannot be guessed.
 * There are four bullets whatever the length.
 */
export function mask(value: string): string {
  const characters = [...value];
  if (characters.length < 16) return bullets;
  const shown = Math.min(9, Math.floor(characters.length / 4));
  const last = Math.floor(shown / 3);
  const first = shown - last;
  return characters.slice(0, first).join('') + bullets + (last > 0 ? characters.slice(-last).join('') : '');
}
