/** What moves the cursor or hides text on a terminal. JSON may write any character by its code. */
const hidden = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** JSON for machines that is also safe on a terminal. */
export function printableJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2).replace(hidden, (text) => (text === '\n' ? text : escaped(text)))}\n`;
}

function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
    '',
  );
}
