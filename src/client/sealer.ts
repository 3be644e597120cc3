import { SealingDocument } from './documents.ts';
import { isGatewayError } from './gateway-error.ts';
import type { CallOptions, Request } from './request.ts';
import { type SealOptions, sealValue } from './seal-value.ts';
import { chooseSealingKey } from './sealing-key.ts';

/** As long as `/.well-known/jwks.json` may be kept. */
const keptMs = 300_000;

/** An input that takes a value. */
interface ValueInput {
  readonly value?: string | null | undefined;
  readonly sealedValue?: string | null | undefined;
}

type Purpose = Pick<SealOptions, 'owner' | 'name' | 'id'>;
type SealedTo = Pick<SealOptions, 'sealingKey' | 'subject'>;

/** Seals what a client sends, to a key of its gateway. */
export class Sealer {
  readonly #request: Request;
  #known: (SealedTo & { readonly untilMs: number }) | undefined;

  constructor(request: Request) {
    this.#request = request;
  }

  /**
   * Sends an input with its value sealed. Without a value it is sent as it is.
   * @throws TypeError for a value beside a sealed value
   */
  async send<Input extends ValueInput, Result>(
    input: Input,
    purpose: Purpose,
    send: (input: Input) => Promise<Result>,
    options: CallOptions = {},
  ): Promise<Result> {
    const { value, ...others } = input;
    if (value == null) return send(input);
    if (others.sealedValue != null) throw new TypeError('Give either value or sealedValue.');
    const attempt = async (to: SealedTo) =>
      send({ ...others, sealedValue: await sealValue(value, { ...to, ...purpose }) } as Input);
    try {
      return await attempt(await this.#sealedTo(options));
    } catch (error) {
      if (!isOutdated(error)) throw error;
      // It was refused before anything was written.
      this.#known = undefined;
      return attempt(await this.#sealedTo(options));
    }
  }

  async #sealedTo(options: CallOptions): Promise<SealedTo> {
    if (this.#known && Date.now() < this.#known.untilMs) return this.#known;
    const untilMs = Date.now() + keptMs;
    const { viewer, sealingKeys } = await this.#request(SealingDocument, {}, options);
    const sealingKey = await chooseSealingKey(sealingKeys);
    this.#known = { sealingKey, subject: viewer.subject, untilMs };
    return this.#known;
  }
}

/** The key was replaced, or the function that gives the token gives one of somebody else now. */
function isOutdated(error: unknown): boolean {
  if (!isGatewayError(error, 'UNPROCESSABLE_CONTENT')) return false;
  return error.errors.some(({ type }) => type === 'unknown_key' || type === 'wrong_subject');
}
