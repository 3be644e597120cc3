import type { BodyRule } from '../../model/provider-check.ts';
import type { Row } from './row.ts';

/** Its 200 and its 400 have errors in the same form (GraphQL). */
const linearErrors: readonly BodyRule[] = [
  { at: '/errors/*/extensions/code', is: ['AUTHENTICATION_ERROR'], result: 'REJECTED' },
  { at: '/errors/*/extensions/code', is: ['RATELIMITED'], result: 'RATE_LIMITED' },
];

/** Whether a refusal is a 401 or a 403 depends on the version of its server. */
const sentryRefusals: readonly BodyRule[] = [
  { at: '/detail', is: ['Invalid token', 'Invalid org token', 'Token expired'], result: 'REJECTED' },
  { at: '/detail', is: ['User inactive or deleted', 'UserApplication inactive or deleted'], result: 'REJECTED' },
  { at: '/detail', is: ['This token access is limited to organization endpoints.'], result: 'VALID' },
];

/** Providers of other services, by their ids. */
export const serviceProviders: Readonly<Record<string, Row>> = {
  cloudflare: {
    title: 'Cloudflare',
    origin: 'https://api.cloudflare.com',
    paths: ['/client/v4'],
    keyPrefixes: ['cfut_', 'cfat_'],
    check: {
      path: '/client/v4/user/tokens/verify',
      results: {
        200: [
          { at: '/result/status', is: ['active'], result: 'VALID' },
          { at: '/result/status', is: ['disabled', 'expired'], result: 'REJECTED' },
        ],
        // "Invalid request headers": no token looks like that.
        400: [{ at: '/errors/*/code', is: [6003], result: 'REJECTED' }],
        // "Invalid API Token". Tokens of accounts are unknown here, and older ones have no prefix.
        401: [{ at: '/errors/*/code', is: [1000], forPrefixes: ['cfut_'], result: 'REJECTED' }],
      },
      // Tokens of accounts are verified below the id of the account.
      notForPrefixes: ['cfat_'],
    },
  },
  datadog: {
    title: 'Datadog',
    origin: 'https://api.datadoghq.com',
    header: 'DD-API-KEY',
    format: '{value}',
    paths: ['/api'],
    keyPrefixes: [],
    check: {
      path: '/api/v1/validate',
      results: {
        200: [
          { at: '/valid', is: [true], result: 'VALID' },
          { at: '/valid', is: [false], result: 'REJECTED' },
        ],
        // The one provider that says it so. A page of a firewall has no such member.
        403: [{ at: '/errors', result: 'REJECTED' }],
      },
    },
  },
  github: {
    title: 'GitHub',
    origin: 'https://api.github.com',
    keyPrefixes: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    check: {
      // For tokens of every kind, and not counted.
      path: '/rate_limit',
      headers: { Accept: 'application/vnd.github+json', 'X-GitHub-Api-Version': '2022-11-28' },
      // Refresh tokens are for another host.
      notForPrefixes: ['ghr_'],
    },
  },
  gitlab: {
    title: 'GitLab',
    origin: 'https://gitlab.com',
    header: 'PRIVATE-TOKEN',
    format: '{value}',
    paths: ['/api'],
    keyPrefixes: ['glpat-'],
    check: {
      path: '/api/v4/personal_access_tokens/self',
      results: {
        200: [
          { at: '/revoked', is: [true], result: 'REJECTED' },
          { at: '/active', is: [false], result: 'REJECTED' },
          { at: '/active', is: [true], result: 'VALID' },
        ],
        403: [{ at: '/error', is: ['insufficient_scope'], result: 'VALID' }],
      },
    },
  },
  linear: {
    title: 'Linear',
    origin: 'https://api.linear.app',
    format: '{value}',
    paths: ['/graphql'],
    keyPrefixes: ['lin_api_'],
    check: {
      method: 'POST',
      path: '/graphql',
      headers: { 'Content-Type': 'application/json' },
      body: '{"query":"{viewer{id}}"}',
      results: { 200: [...linearErrors, { at: '/data/viewer/id', result: 'VALID' }], 400: linearErrors },
    },
  },
  notion: {
    title: 'Notion',
    origin: 'https://api.notion.com',
    paths: ['/v1'],
    keyPrefixes: ['ntn_'],
    check: {
      path: '/v1/users/me',
      headers: { 'Notion-Version': '2022-06-28' },
      results: { 403: [{ at: '/code', is: ['restricted_resource'], result: 'VALID' }] },
    },
  },
  sendgrid: {
    title: 'SendGrid',
    origin: 'https://api.sendgrid.com',
    paths: ['/v3'],
    keyPrefixes: ['SG.'],
    check: {
      path: '/v3/scopes',
      results: { 403: [{ at: '/errors/*/message', is: ['access forbidden'], result: 'VALID' }] },
    },
  },
  sentry: {
    title: 'Sentry',
    origin: 'https://sentry.io',
    paths: ['/api'],
    keyPrefixes: ['sntrys_', 'sntryu_', 'sntrya_', 'sntryi_'],
    check: { path: '/api/0/auth/validate/', results: { 401: sentryRefusals, 403: sentryRefusals } },
  },
  slack: {
    title: 'Slack',
    origin: 'https://slack.com',
    paths: ['/api'],
    keyPrefixes: ['xoxb-', 'xoxp-', 'xoxe-', 'xoxe.xox', 'xapp-'],
    check: {
      method: 'POST',
      path: '/api/auth.test',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      results: {
        // The status for everything.
        200: [
          { at: '/ok', is: [true], result: 'VALID' },
          {
            at: '/error',
            is: ['invalid_auth', 'account_inactive', 'token_revoked', 'token_expired'],
            result: 'REJECTED',
          },
          { at: '/error', is: ['ratelimited'], result: 'RATE_LIMITED' },
          { at: '/error', is: ['fatal_error', 'internal_error', 'service_unavailable'], result: 'UNREACHABLE' },
        ],
      },
      // Tokens of apps and refresh tokens are for other methods.
      notForPrefixes: ['xapp-', 'xoxe-'],
    },
  },
  stripe: {
    title: 'Stripe',
    origin: 'https://api.stripe.com',
    keyPrefixes: ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'],
    // A restricted key may lack the permission. A page of a firewall has no such member.
    check: { path: '/v1/balance', results: { 403: [{ at: '/error', result: 'VALID' }] } },
  },
};
