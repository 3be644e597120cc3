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

type Purpose = Pick<SealOptions, 'owner' | 'name' | 'id' | 'use'>;
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
    options?: CallOptions,
  ): Promise<Result> {
    return this.sendAll(
      [input],
      () => purpose,
      ([sealed = input]) => send(sealed),
      options,
    );
  }

  /** Sends several inputs at once, each with its value sealed for a purpose of its own. */
  async sendAll<Input extends ValueInput, Result>(
    inputs: readonly Input[],
    purposeOf: (input: Input) => Purpose,
    send: (inputs: Input[]) => Promise<Result>,
    options: CallOptions = {},
  ): Promise<Result> {
    if (inputs.every(({ value }) => value == null)) return send([...inputs]);
    if (inputs.some(({ value, sealedValue }) => value != null && sealedValue != null)) {
      throw new TypeError('Give either value or sealedValue.');
    }
    const attempt = async (to: SealedTo) =>
      send(await Promise.all(inputs.map((input) => sealed(input, { ...to, ...purposeOf(input) }))));
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

async function sealed<Input extends ValueInput>(input: Input, options: SealOptions): Promise<Input> {
  const { value, ...others } = input;
  // A value of null is for the gateway to refuse.
  return value == null ? input : ({ ...others, sealedValue: await sealValue(value, options) } as Input);
}

/** The key was replaced, or the function that gives the token gives one of somebody else now. */
function isOutdated(error: unknown): boolean {
  if (!isGatewayError(error, 'UNPROCESSABLE_CONTENT')) return false;
  return error.errors.some(({ type }) => type === 'unknown_key' || type === 'wrong_subject');
}
