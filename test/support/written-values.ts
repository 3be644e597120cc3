/**
 * How a value may stand in an answer, written with the functions that software uses for it, or as these are documented; and a
 * search that compares at every place.
 */

const hexOf = (character: string) => character.charCodeAt(0).toString(16).padStart(2, '0');
const both = (write: (hex: (character: string) => string) => string) => [
  write(hexOf),
  write((character) => hexOf(character).toUpperCase()),
];

const htmlNames: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** The characters of base64 that do not depend on what stands around the value. */
function base64s(value: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const written = [...'0z'].map((filler) => btoa(filler.repeat(before) + value + filler.repeat(6)));
    const [one = '', other = ''] = written;
    // Found by trying: what two surroundings write alike, from the first such character to the last before the filler.
    const end = Math.floor((8 * (before + value.length)) / 6);
    const start = [0, 2, 3][before] as number;
    if (one.slice(start, end) !== other.slice(start, end)) throw new Error('the characters depend on the surroundings');
    return [one.slice(start, end)];
  });
}

function inJson(text: string): string[] {
  const minimal = JSON.stringify(text).slice(1, -1);
  return [
    minimal,
    minimal.replaceAll('/', '\\/'),
    ...both((hex) => text.replaceAll(/[^a-z\d]/gi, (found) => `\\u00${hex(found)}`)),
    ...both((hex) => minimal.replaceAll(/[<>&]/g, (found) => `\\u00${hex(found)}`)),
    ...both((hex) => minimal.replaceAll(/[<>&']/g, (found) => `\\u00${hex(found)}`)),
    ...both((hex) => text.replaceAll(/["'<>&+`]/g, (found) => `\\u00${hex(found)}`).replaceAll(/\\(?!u00)/g, '\\\\')),
    ...both((hex) => [...text].map((character) => `\\u00${hex(character)}`).join('')),
  ];
}

function inUrl(text: string): string[] {
  const component = encodeURIComponent(text);
  const strict = component.replaceAll(/[!'()*]/g, (found) => `%${hexOf(found).toUpperCase()}`);
  const form = new URLSearchParams([['', text]]).toString().slice(1);
  const written = [
    component,
    strict,
    strict.replaceAll('%20', '+'),
    form,
    encodeURI(text),
    component.replaceAll('%2F', '/'),
  ];
  return [
    ...written,
    ...written.map((each) => each.replaceAll(/%../g, (found) => found.toLowerCase())),
    ...both((hex) => text.replaceAll(/[^a-z\d]/gi, (found) => `%${hex(found)}`)),
    ...both((hex) => [...text].map((character) => `%${hex(character)}`).join('')),
  ];
}

function inHtml(text: string): string[] {
  const most = text.replaceAll(/[&<>"']/g, (found) => htmlNames[found] as string);
  return [
    text.replaceAll(/[&<>]/g, (found) => htmlNames[found] as string),
    text.replaceAll(/[&<>"]/g, (found) => htmlNames[found] as string),
    most,
    most.replaceAll('&#39;', '&#x27;'),
    most.replaceAll('&#39;', '&apos;'),
    most.replaceAll('&#39;', '&#039;'),
    most.replaceAll('&quot;', '&#34;').replaceAll('+', '&#43;'),
    ...both((hex) => most.replaceAll('&#39;', '&#x27;').replaceAll('/', `&#x${hex('/')};`)),
    ...both((hex) => most.replaceAll(/[/`=]/g, (found) => `&#x${hex(found)};`)),
    ...both((hex) => most.replaceAll('&#39;', '&#x27;').replaceAll(/[`=]/g, (found) => `&#x${hex(found)};`)),
    text.replaceAll(/[^a-z\d]/gi, (found) => `&#${found.charCodeAt(0)};`),
    ...both((hex) => text.replaceAll(/[^a-z\d]/gi, (found) => `&#x${hex(found)};`)),
    ...both((hex) => [...text].map((character) => `&#x${hex(character)};`).join('')),
  ];
}

/** Every form that the promise names, and some more. */
export function writtenValues(value: string): string[] {
  const base64 = base64s(value);
  const forms = [
    value,
    ...[value, ...base64].flatMap((text) => [...inJson(text), ...inUrl(text), ...inHtml(text)]),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    ...both((hex) => [...value].map(hex).join('')),
  ];
  // Base64 whose every character is escaped is written by nobody.
  const wholly = new Set(base64.flatMap((text) => both((hex) => [...text].map((each) => `%${hex(each)}`).join(''))));
  const whollyElse = new Set(
    base64.flatMap((text) => [
      ...both((hex) => [...text].map((each) => `\\u00${hex(each)}`).join('')),
      ...both((hex) => [...text].map((each) => `&#x${hex(each)};`).join('')),
    ]),
  );
  return [...new Set(forms)].filter((form) => !wholly.has(form) && !whollyElse.has(form));
}

/** Where the forms begin in a text. */
export function placesOf(forms: readonly string[], text: string): { start: number; end: number }[] {
  const places: { start: number; end: number }[] = [];
  for (const form of forms) {
    for (let start = text.indexOf(form); start >= 0; start = text.indexOf(form, start + 1)) {
      places.push({ start, end: start + form.length });
    }
  }
  return places;
}

/** The text with asterisks in every place of a form. */
export function masked(forms: readonly string[], text: string): string {
  const characters = text.split('');
  for (const { start, end } of placesOf(forms, text)) characters.fill('*', start, end);
  return characters.join('');
}
