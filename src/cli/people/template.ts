/** What a template asks for: by placeholder, or by name. */
export interface Reference {
  readonly kind: 'placeholder' | 'name';
  readonly text: string;
  readonly line: number;
}

interface Piece {
  readonly literal: string;
  /** What stands behind the literal; null at the end. */
  readonly reference: Reference | null;
}

export type Template = readonly Piece[];

const pattern = /(?<![A-Za-z0-9_])(sec_[0-9a-f]{9})(?![A-Za-z0-9_])|\{\{([^{}\n]*)\}\}|\{\{/g;

/**
 * Finds the placeholders and the `{{ NAME }}` of a template.
 * @returns the line of a `{{` that is not closed, or has no name, instead
 */
export function parseTemplate(text: string): { readonly template: Template } | { readonly badLine: number } {
  const template: Piece[] = [];
  let end = 0;
  let line = 1;
  for (const { 0: found, 1: placeholder, 2: inner, index } of text.matchAll(pattern)) {
    const literal = text.slice(end, index);
    line += literal.split('\n').length - 1;
    const name = inner?.trim();
    if (placeholder === undefined && !name) return { badLine: line };
    const reference: Reference = placeholder
      ? { kind: 'placeholder', text: placeholder, line }
      : { kind: 'name', text: (name ?? '').normalize('NFC'), line };
    template.push({ literal, reference });
    end = index + found.length;
  }
  return { template: [...template, { literal: text.slice(end), reference: null }] };
}

export function referencesOf(template: Template): readonly Reference[] {
  return template.flatMap(({ reference }) => reference ?? []);
}

/** Puts the values in. A value that looks like a template itself stays as it is. */
export function fillTemplate(template: Template, find: (reference: Reference) => string): string {
  return template.map(({ literal, reference }) => literal + (reference ? find(reference) : '')).join('');
}
