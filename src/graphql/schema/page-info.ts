import { builder } from './builder.ts';

/** The position of a page in its list, whatever it lists. */
export interface PageBounds {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** Cursors are signed when they are selected. */
  readonly startCursor: () => string | null;
  readonly endCursor: () => string | null;
}

export const PageInfo = builder.objectRef<PageBounds>('PageInfo').implement({
  description: 'The position of a page in its list (Relay cursor connections).',
  directives: { shareable: {} },
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether there is more after this page.' }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', { description: 'Whether there is more before this page.' }),
    startCursor: t.string({
      nullable: true,
      description: 'The position of the first item of this page; null when the page is empty.',
      resolve: (page) => page.startCursor(),
    }),
    endCursor: t.string({
      nullable: true,
      description: 'The position of the last item of this page; null when the page is empty.',
      resolve: (page) => page.endCursor(),
    }),
  }),
});

/** The bounds of a page with these items. */
export function boundsOf<T>(
  page: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean; cursorOf(item: T): string },
  items: readonly T[],
): PageBounds {
  const { hasNextPage, hasPreviousPage } = page;
  const cursorOf = (item: T | undefined) => (item === undefined ? null : page.cursorOf(item));
  return {
    hasNextPage,
    hasPreviousPage,
    startCursor: () => cursorOf(items.at(0)),
    endCursor: () => cursorOf(items.at(-1)),
  };
}
