import { createClient, isGatewayError } from 'secrets-gateway/client';
import { setSecret } from './set-secret.ts';

const form = element('form', HTMLFormElement);
const send = element('#send', HTMLButtonElement);
const value = element('#value', HTMLTextAreaElement);

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void submit();
});
send.disabled = false;

async function submit(): Promise<void> {
  show('#failure', '');
  show('#done', '');
  send.disabled = true;
  try {
    const client = createClient({ url: new URL('/graphql', location.href).href, token: textOf('#token') });
    const { sealedValue, secret } = await setSecret(client, {
      name: textOf('#secret-name'),
      provider: textOf('#provider'),
      value: value.value,
      curve: element('#curve', HTMLSelectElement).value,
    });
    value.value = '';
    show('#done', `${secret?.name} is kept as version ${secret?.version}, and shown as ${secret?.maskedValue}.`);
    show('#header', JSON.stringify(headerOf(sealedValue), null, 2));
    show('#sealed-value', sealedValue);
    element('#sent', HTMLElement).hidden = false;
  } catch (error) {
    show('#failure', explain(error));
  } finally {
    send.disabled = false;
  }
}

/** What the gateway says of an error never repeats a value. */
function explain(error: unknown): string {
  if (!isGatewayError(error)) return error instanceof Error ? error.message : 'Something went wrong.';
  const fields = error.errors.map(({ field, message }) => `${field}: ${message}`);
  return [error.message, error.description, ...fields].filter(Boolean).join('\n');
}

/** The first of the five parts of a compact JWE (RFC 7516, section 7.1). */
function headerOf(jwe: string): unknown {
  const [header = ''] = jwe.split('.');
  const bytes = Uint8Array.fromBase64(header, { alphabet: 'base64url' });
  return JSON.parse(new TextDecoder().decode(bytes));
}

function textOf(selector: string): string {
  return element(selector, HTMLInputElement).value;
}

function show(selector: string, text: string): void {
  element(selector, HTMLElement).textContent = text;
}

function element<T extends HTMLElement>(selector: string, type: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The page has no ${selector}.`);
  return found;
}
