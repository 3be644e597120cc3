// Stripe's SDK has no base path. Its HTTP client takes a function, which sends requests to the broker instead.
import Stripe from 'stripe';
import { token } from '../connect.ts';
import { useUrlOf } from './use-url.ts';

const useUrl = await useUrlOf('STRIPE_SECRET_KEY');
const stripe = new Stripe(token, {
  httpClient: Stripe.createFetchHttpClient((url, init) => {
    // Uploads have another host, and so another destination.
    const { origin, pathname, search } = new URL(String(url));
    if (origin !== 'https://api.stripe.com') throw new Error(`The secret is not for ${origin}.`);
    return fetch(`${useUrl}${pathname}${search}`, init);
  }),
});

const created = await stripe.customers.create({ name: 'Ada Lovelace', email: 'ada@example.com' });
console.log(`created ${created.name}`);

for await (const customer of stripe.customers.list({ email: 'ada@example.com', limit: 2 })) {
  console.log(`- ${customer.name} ${customer.email}`);
}

await stripe.customers.del(created.id);
console.log('deleted');
