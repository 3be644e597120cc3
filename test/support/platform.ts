import { vi } from 'vitest';

/** Runs with the cryptography of a browser that has no X25519. */
export async function withoutX25519(run: () => Promise<void>): Promise<void> {
  const { subtle } = crypto;
  const unless = <Method extends 'generateKey' | 'importKey'>(
    method: Method,
    isMissing: (args: unknown[]) => boolean,
  ) => {
    const original = subtle[method].bind(subtle) as (...args: unknown[]) => Promise<unknown>;
    return vi
      .spyOn(subtle, method)
      .mockImplementation(((...args: unknown[]) =>
        isMissing(args)
          ? Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'))
          : original(...args)) as never);
  };
  const isX25519 = (algorithm: unknown) =>
    algorithm === 'X25519' || (algorithm as { name?: string })?.name === 'X25519';
  const spies = [
    unless('generateKey', ([algorithm]) => isX25519(algorithm)),
    unless('importKey', ([, , algorithm]) => isX25519(algorithm)),
  ];
  try {
    await run();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
