/** Characters that move the cursor, change what is shown already, or are not visible where they are. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;

/**
 * Text that somebody else wrote, such as the writer of a database, for a terminal: characters that are not plainly visible
 * are shown by their code points.
 */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
