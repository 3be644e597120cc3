/** secrets-gateway has 4000. */
const defaults = { directory: 4001, apolloGateway: 4002, hiveGateway: 4003 };

/** Where an example listens: at PORT, or at a port of its own. */
export function portFor(example: keyof typeof defaults): number {
  return Number(process.env.PORT ?? defaults[example]);
}
