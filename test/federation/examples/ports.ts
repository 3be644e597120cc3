/** secrets-gateway uses 4000. */
const defaults = { directory: 4001, apolloGateway: 4002, hiveGateway: 4003 };

/** The port of an example: PORT, or its own default. */
export function portFor(example: keyof typeof defaults): number {
  return Number(process.env.PORT ?? defaults[example]);
}
