/**
 * Text that somebody else wrote, such as the writer of a database, for a terminal: characters that are not plainly visible
 * are shown by their code points.
 */
export function printable(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  // Characters that move the cursor, change what is shown already, or are not visible where they are. Not outside of this
  // function: to compile it takes two milliseconds.
  const unprintable = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;
  return text.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
