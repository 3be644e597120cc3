import { defaultFieldResolver, type GraphQLFieldResolver } from 'graphql';

type Resolver<Context> = GraphQLFieldResolver<unknown, Context>;

/** Called with each value that a field resolved to, before it is completed; a promise is not awaited. */
export type Watch<Context> = (value: unknown, context: Context, key: string) => void;

interface Watched {
  /** Undefined where the field is a property of its parent. */
  readonly resolve: Resolver<unknown> | undefined;
  readonly watch: Watch<unknown>;
}

const watched = new WeakMap<Resolver<never>, Watched>();

/**
 * A resolver whose values are watched. For any engine it is a resolver like others; a plan knows its two parts, so that it can
 * read a property without calling anything.
 */
export function watchedResolver<Context>(
  resolve: Resolver<Context> | undefined,
  watch: Watch<Context>,
): Resolver<Context> {
  const inner = resolve ?? (defaultFieldResolver as Resolver<Context>);
  const resolver: Resolver<Context> = (source, args, context, info) => {
    const value = inner(source, args, context, info);
    watch(value, context, String(info.path.key));
    return value;
  };
  watched.set(resolver, { resolve: resolve as Watched['resolve'], watch: watch as Watched['watch'] });
  return resolver;
}

/** The parts of a resolver. */
export function partsOf(resolve: Resolver<unknown> | undefined): Partial<Watched> {
  return (resolve && watched.get(resolve)) ?? { resolve };
}
