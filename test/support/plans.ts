/** `TEST_WITHOUT_PLANS=1 npx vitest run test/e2e` runs tests with gateways that prepare no operations. */
export const withoutPlans: Record<string, string> =
  process.env.TEST_WITHOUT_PLANS === undefined ? {} : { TEST_WITHOUT_PLANS: process.env.TEST_WITHOUT_PLANS };
