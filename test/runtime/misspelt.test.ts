import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfig, settingNames } from '../../src/config.ts';

function refusalOf(env: Record<string, string>): string {
  try {
    return `accepted: ${JSON.stringify(readConfig(env))}`;
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigurationError' });
    return (error as Error).message;
  }
}

const marker = 'hunter22';

describe('a misspelt setting stops the start, and the right name is told', () => {
  it.each([
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['DATABASEURL', 'DATABASE_URL'],
    ['DATABASE-URL', 'DATABASE_URL'],
    ['database_url', 'DATABASE_URL'],
    ['ADTABASE_URL', 'DATABASE_URL'],
    ['DATABASE_URL_FLIE', 'DATABASE_URL_FILE'],
    ['KEYRING', 'KEYRING_FILE'],
    ['KEYRING_PATH', 'KEYRING_FILE'],
    ['KEY_RING_FILE', 'KEYRING_FILE'],
    ['KEYRNIG_FILES', 'KEYRING_FILE'],
    ['JWKS_URL', 'JWT_JWKS_URL'],
    ['JWT_JWKS_URI', 'JWT_JWKS_URL'],
    ['JWT_JWKS', 'JWT_JWKS_FILE'],
    ['JWT_AUD', 'JWT_AUDIENCE'],
    ['JWT_ISSUERS', 'JWT_ISSUER'],
    ['JTW_ISSUER', 'JWT_ISSUER'],
    ['JWT_ALGORITHM', 'JWT_ALGORITHMS'],
    ['RATELIMIT', 'RATE_LIMIT'],
    ['RATE_LIMITS', 'RATE_LIMIT'],
    ['TRUSTED_PROXY', 'TRUST_PROXY'],
    ['REQUIRES_TLS', 'REQUIRE_TLS'],
    ['INTROSPECTIONS', 'INTROSPECTION'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['PERSISTED_OPERATION', 'PERSISTED_OPERATIONS'],
    ['SECURITY_DIRECTIVE', 'SECURITY_DIRECTIVES'],
    ['PUBLIC_URI', 'PUBLIC_URL'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['LOG_LVL', 'LOG_LEVEL'],
    ['NODE_ENVS', 'NODE_ENV'],
    ['SECRETS_GATEWAY_HOST', 'HOST'],
    ['SECRETS_GATEWAY_PORT', 'PORT'],
    ['SECRETS_GATEWAY_DATABASE_URL', 'DATABASE_URL'],
    ['SECRETS_GATEWAY_KEYRING', 'KEYRING_FILE'],
  ])('%s is %s', (name, meant) => {
    const message = refusalOf({ [name]: marker });
    expect(message).toMatch(
      new RegExp(`^${name} is not a setting\\. Did you mean .*\\b${meant}\\b.*\\? Rename or remove`),
    );
    expect(message).not.toContain(marker);
  });

  it.each(['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWT_EXPIRES_IN'])('%s is none of those that begin so', (name) => {
    const message = refusalOf({ [name]: marker });
    expect(message).toMatch(new RegExp(`^${name} is not a setting\\. There are: JWT_ISSUER, .* Rename or remove`));
    expect(message).not.toContain(marker);
  });

  const long = settingNames.filter((name) => name.length >= 6);
  it.each(long)('%s, with any one letter left out, doubled, changed or swapped with the next', (name) => {
    for (let i = 0; i < name.length; i += 1) {
      const [before, letter = '', next = '', after] = [name.slice(0, i), name[i], name[i + 1], name.slice(i + 2)];
      const wrong = [
        before + next + after,
        before + letter + letter + next + after,
        `${before}X${next}${after}`,
        before + next + letter + after,
      ];
      for (const written of wrong.filter((each) => /^[A-Z]\w*$/.test(each) && !isSetting(each))) {
        expect(refusalOf({ [written]: marker })).toContain(`${written} is not a setting. Did you mean`);
      }
    }
  });

  const short = settingNames.filter((name) => name.length < 6);
  it.each(short)('%s, with letters swapped or doubled, in lower case or with something between or behind', (name) => {
    const letters = [...name];
    const changed = letters.flatMap((letter, i) => [
      name.slice(0, i) + letter + name.slice(i),
      name.slice(0, i) + (name[i + 1] ?? '') + letter + name.slice(i + 2),
    ]);
    for (const written of new Set([...changed, name])) {
      for (const spelt of [
        written,
        `${written}_`,
        `${written}-`,
        written.toLowerCase(),
        `SECRETS_GATEWAY_${written}`,
      ]) {
        if (isSetting(spelt)) continue;
        expect(refusalOf({ [spelt]: marker })).toBe(
          `${spelt} is not a setting. Did you mean ${name}? Rename or remove what is not a setting.`,
        );
      }
    }
  });

  it('all of them are told at once', () => {
    const message = refusalOf({ DATABSE_URL: marker, RATELIMIT: marker, HOME: '/home/ada' });
    expect(message).toMatch(/^DATABSE_URL is .*\? RATELIMIT is .*\? Rename or remove what is not a setting\.$/);
  });

  it('unless it is empty, which is the same as not set', () => {
    expect(readConfig({ DATABSE_URL: '', JWT_SECRET: ' ' })).toEqual(readConfig({}));
  });
});

function isSetting(name: string): boolean {
  return (settingNames as readonly string[]).includes(name);
}

/** What shells, npm, Node, containers, Kubernetes and other programs set. */
const foreign = `
  PATH HOME USER LOGNAME SHELL SHLVL PWD OLDPWD TERM LANG LC_ALL LANGUAGE TZ TMPDIR EDITOR PAGER DISPLAY MAIL HOSTNAME HOSTTYPE OSTYPE MACHTYPE
  VENDOR GROUP REMOTEHOST HISTFILE LS_COLORS COLORTERM XDG_RUNTIME_DIR XDG_SESSION_ID DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK SSH_CONNECTION SSH_TTY
  GNOME_KEYRING_CONTROL GNOME_KEYRING_PID PYTHON_KEYRING_BACKEND KEYRING_BACKEND
  npm_config_loglevel npm_config_registry npm_lifecycle_event npm_package_name npm_package_version npm_execpath npm_node_execpath INIT_CWD NODE
  NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_NO_WARNINGS NODE_DEBUG NODE_VERSION NODE_HOME NODE_NAME NODE_ID NODE_TLS_REJECT_UNAUTHORIZED
  HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE
  KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_SERVICE_PORT_HTTPS KUBERNETES_PORT KUBERNETES_PORT_443_TCP KUBERNETES_PORT_443_TCP_ADDR
  POD_NAME POD_IP POD_NAMESPACE HOST_IP CONTAINER_NAME INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET LISTEN_FDS
  DATABASE_HOST DATABASE_PORT DATABASE_NAME DATABASE_USER DATABASE_PASSWORD DATABASE_SSL DATABASE_POOL DATABASE_SCHEMA DATABASE_TYPE DATABASE DB_URL
  TEST_DATABASE_URL POSTGRES_URL MONGO_URL MONGODB_URI REDIS_URL AMQP_URL BASE_URL API_URL SERVICE_URL
  LOG_FILE LOG_FORMAT LOG_LEVEL_ROOT RUST_LOG DEBUG VERBOSE APP_ENV RAILS_ENV RACK_ENV FLASK_ENV DENO_ENV ENVIRONMENT
  CI GITHUB_ACTIONS GITHUB_TOKEN GITHUB_SERVER_URL AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY GOOGLE_APPLICATION_CREDENTIALS AZURE_CLIENT_ID
  METRICS_PORT GATEWAY_PORT GATEWAY_HOST HOSTS PORTS POST GHOST HOST_PATH PORT_FILE RATE_PER_SECOND LIMIT RATE TRUST_STORE REQUIRE_AUTH
  CORS_ENABLED CORS_ALLOWED_METHODS OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_ENDPOINT SENTRY_DSN SECURITY_TOKEN KEY_FILE CERT_FILE CONFIG_FILE
  PORTAL HOSTED HOSTFILE PORT0 PORT1 PORT_1 PORT_FROM PORT_RANGE HOST_PORT HOST_NAME HOST_UID HTTP_PORT HTTPS_PORT SSH_PORT APP_PORT WEB_PORT
  SERVER_PORT LISTEN_PORT UI_PORT RPORT LPORT XPORT MPORT TPORT PART PERT PORE PORK POET ROOT SORT FORT COST LOST MOST HOSE HOLT HAST TOST
  OPT OPTS HOS HST POR PRT ORT HOT HIST HSTR PS1 PS2 PS4 IFS PPID UID EUID GID RANDOM COLUMNS LINES MANPATH INFOPATH LESS LESSOPEN LS_OPTIONS VISUAL
  WINDOWID TERMCAP TERM_PROGRAM WSLENV WSL_DISTRO_NAME NAME CDPATH PROMPT_COMMAND DIRSTACK BASH BASH_ENV BASHOPTS SHELLOPTS ZDOTDIR FPATH
  LISTEN_PID LISTEN_FDNAMES WATCHDOG_PID WATCHDOG_USEC MAINPID MANAGERPID SERVICE_RESULT EXIT_CODE EXIT_STATUS RUNTIME_DIRECTORY STATE_DIRECTORY
  CACHE_DIRECTORY LOGS_DIRECTORY CONFIGURATION_DIRECTORY CREDENTIALS_DIRECTORY MEMORY_PRESSURE_WATCH SYSTEMD_EXEC_PID container
  DOCKER_HOST DOCKER_BUILDKIT DOCKER_TLS_VERIFY COMPOSE_PROJECT_NAME COMPOSE_FILE BUILDKIT_HOST TARGETARCH TARGETPLATFORM
  npm_command npm_config_cache npm_config_user_agent npm_config_proxy npm_config_host npm_config_port npm_config_node_gyp npm_lifecycle_script npm_package_json
  npm_config_noproxy npm_config_prefix npm_config_global_prefix npm_package_config_port npm_package_config_host YARN_VERSION PNPM_HOME NVM_DIR NVM_BIN
  DYNO STACK SOURCE_VERSION HEROKU_APP_NAME HEROKU_SLUG_COMMIT WEB_CONCURRENCY WEB_MEMORY MEMORY_AVAILABLE HEROKU_POSTGRESQL_PINK_URL
  K_SERVICE K_REVISION K_CONFIGURATION CLOUD_RUN_JOB CLOUD_RUN_EXECUTION GAE_SERVICE GAE_INSTANCE GCP_PROJECT FUNCTION_TARGET FLY_APP_NAME FLY_REGION
  RENDER RENDER_SERVICE_ID RAILWAY_STATIC_URL VERCEL VERCEL_URL WEBSITE_SITE_NAME WEBSITES_PORT ECS_CONTAINER_METADATA_URI_V4 LAMBDA_TASK_ROOT
  RUNNER_OS RUNNER_TEMP RUNNER_ARCH GITHUB_REF GITHUB_SHA GITHUB_WORKSPACE GITHUB_EVENT_NAME GITLAB_CI CI_JOB_ID CI_COMMIT_SHA CI_SERVER_HOST
  CI_SERVER_PORT CI_REGISTRY_PASSWORD BUILD_NUMBER BUILD_URL JOB_NAME JENKINS_URL CIRCLECI CIRCLE_SHA1 BUILDKITE TF_BUILD AGENT_OS SYSTEM TEAMCITY_VERSION
  TRAVIS APPVEYOR BITBUCKET_COMMIT DRONE DRONE_BRANCH NODE_LABELS NODE_ENVIRONMENT_FILE
  ALLUSERSPROFILE APPDATA COMPUTERNAME ComSpec CommonProgramFiles HOMEDRIVE HOMEPATH LOCALAPPDATA LOGONSERVER NUMBER_OF_PROCESSORS OS PATHEXT Path
  PROCESSOR_ARCHITECTURE PROCESSOR_IDENTIFIER ProgramData ProgramFiles PROMPT PSModulePath PUBLIC SESSIONNAME SystemDrive SystemRoot TEMP TMP USERDOMAIN
  USERNAME USERPROFILE windir DriverData OneDrive
  BROKER_URL BROKER_HOST CELERY_BROKER_URL MATCHING_RULES ISSUER AUDIENCE OIDC_ISSUER JWKS VAULT_ADDR VAULT_TOKEN _
`
  .trim()
  .split(/\s+/);

describe('a variable of others is left alone', () => {
  it.each(foreign)('%s', (name) => {
    expect(readConfig({ [name]: marker })).toEqual(readConfig({}));
  });

  it('all of them at once, with settings beside them', () => {
    expect(foreign.length).toBeGreaterThan(150);
    const env = Object.fromEntries(foreign.map((name) => [name, marker]));
    expect(readConfig({ ...env, PORT: '1', LOG_LEVEL: 'warn' })).toEqual(readConfig({ PORT: '1', LOG_LEVEL: 'warn' }));
  });

  it('any short word that has other letters than a short setting', () => {
    const letters = (word: string) => [...new Set(word)].sort().join('');
    const word = fc
      .stringMatching(/^[A-Z]{1,5}$/)
      .filter((name) => !['HOST', 'PORT'].some((one) => letters(one) === letters(name)));
    fc.assert(
      fc.property(word, (name) => {
        expect(readConfig({ [name]: marker })).toEqual(readConfig({}));
      }),
    );
  });

  it('what Kubernetes sets for a service, whatever its name', () => {
    for (const service of [
      'SECRETS_GATEWAY',
      'GATEWAY',
      'HOST',
      'PORT',
      'PROT',
      'JWT',
      'JWT_ISSUER',
      'DATABASE_URL',
      'KEYRING',
    ]) {
      const links = {
        [`${service}_SERVICE_HOST`]: '10.0.0.1',
        [`${service}_SERVICE_PORT`]: '4000',
        [`${service}_SERVICE_PORT_HTTP`]: '4000',
        [`${service}_PORT`]: 'tcp://10.0.0.1:4000',
        [`${service}_PORT_4000_TCP`]: 'tcp://10.0.0.1:4000',
        [`${service}_PORT_4000_TCP_PROTO`]: 'tcp',
        [`${service}_PORT_4000_TCP_PORT`]: '4000',
        [`${service}_PORT_4000_TCP_ADDR`]: '10.0.0.1',
      };
      expect(readConfig(links)).toEqual(readConfig({}));
    }
  });
});

describe('a value that is not known stops the start, and the near one is told', () => {
  const jwt = { JWT_ISSUER: 'i', JWT_AUDIENCE: 'a', JWT_JWKS_URL: 'https://i.test/jwks' };
  it.each([
    ['NODE_ENV', 'prod', 'production'],
    ['NODE_ENV', 'PROD', 'production'],
    ['NODE_ENV', 'prodution', 'production'],
    ['NODE_ENV', 'production1', 'production'],
    ['NODE_ENV', 'dev', 'development'],
    ['NODE_ENV', 'testing', 'test'],
    ['NODE_ENV', 'tset', 'test'],
    ['LOG_LEVEL', 'warning', 'warn'],
    ['LOG_LEVEL', 'err', 'error'],
    ['LOG_LEVEL', 'inof', 'info'],
    ['LOG_LEVEL', 'slient', 'silent'],
    ...['REQUIRE_TLS', 'TRUST_PROXY', 'BATCHING', 'INTROSPECTION', 'SECURITY_DIRECTIVES'].flatMap((name) => [
      ...['true', 'True', '1', 'yes', 'enabled', 'onn'].map((value) => [name, value, 'on']),
      ...['false', '0', 'no', 'disabled', 'of'].map((value) => [name, value, 'off']),
    ]),
    ['JWT_ALGORITHMS', 'RS265', 'RS256'],
    ['JWT_ALGORITHMS', 'es256', 'ES256'],
    ['JWT_ALGORITHMS', 'ES256 EDSA', 'EdDSA'],
  ] as [string, string, string][])('%s=%s: %s', (name, value, near) => {
    const message = refusalOf({ ...(name === 'JWT_ALGORITHMS' && jwt), [name]: value });
    expect(message).toMatch(new RegExp(`^${name} (must|names) .*Did you mean (\\w+ or )*${near}( or \\w+)*\\?$`));
  });

  it.each(['staging', 'live', 'x'])('and none where none is near: NODE_ENV=%s', (NODE_ENV) => {
    const message = refusalOf({ NODE_ENV });
    expect(message).toBe('NODE_ENV must be one of: production, development, test.');
  });
});
