const mySecrets = `# Your secrets. Values went in; masks come out.
query MySecrets {
  viewer {
    subject
    scopes
    teams {
      id
      role
    }
  }
  secrets(first: 10) {
    totalCount
    nodes {
      id
      name
      provider
      maskedValue
      placeholder
      version
    }
  }
}
`;

const keepSecret = `# Write a value of your own in the variables below.
mutation KeepSecret($input: CreateSecretInput!) {
  createSecret(input: $input) {
    secret {
      id
      name
      maskedValue
      placeholder
    }
    secrets {
      totalCount
    }
  }
}
`;

const exampleSecret = JSON.stringify(
  { input: { owner: {}, name: 'OPENAI_API_KEY', provider: 'openai', value: '' } },
  null,
  2,
);

/** One for each of the three systems of docs/three-systems.md. The demo team is the development token's. */
const providerSecrets = `# Keys of yours for the services of providers, such as OpenAI. The name is an environment variable's.
query ProviderSecrets {
  secrets {
    totalCount
    nodes {
      id
      name
      provider
      maskedValue
    }
  }
}

mutation CreateProviderSecret($input: CreateSecretInput!) {
  createSecret(input: $input) {
    secret {
      id
      name
      provider
      maskedValue
    }
    warnings {
      message
    }
  }
}
`;

const controllerSecrets = `# Secrets of a team, with notes and tags. All members of the team work with them.
query ControllerSecrets {
  secrets(owner: { teamId: "demo" }) {
    totalCount
    nodes {
      id
      name
      notes
      tags
      maskedValue
      version
    }
  }
}

mutation CreateControllerSecret($input: CreateSecretInput!) {
  createSecret(input: $input) {
    secret {
      id
      name
      notes
      tags
      maskedValue
      version
    }
    warnings {
      message
    }
  }
}
`;

const connectorSecrets = `# Secrets of a connector of a team. Templates name them by their placeholders.
query ConnectorSecrets {
  secrets(owner: { teamId: "demo", connectorId: "mail" }) {
    totalCount
    nodes {
      placeholder
      name
    }
  }
}

mutation CreateConnectorSecret($input: CreateSecretInput!) {
  createSecret(input: $input) {
    secret {
      placeholder
      name
    }
    secrets {
      totalCount
    }
    warnings {
      message
    }
  }
}
`;

const manySecrets = `# Up to 500 secrets of a team or a connector at once, or none. A dry run tells what would be done.
mutation CreateManySecrets($input: CreateSecretsInput!) {
  createSecrets(input: $input) {
    items {
      index
      action
      secret {
        name
        version
      }
      warnings {
        message
      }
    }
    totalCount
  }
}

# Copies for another owner. Nobody sees a value.
mutation CopySecrets {
  duplicateSecrets(input: { from: { teamId: "demo" }, to: { teamId: "demo", connectorId: "mail" }, dryRun: true }) {
    items {
      action
      secret {
        name
      }
    }
  }
}
`;

const whoseValue = `# Whose leaked value is this? Nothing is opened to find that out.
query WhoseValue($value: String!) {
  matchesSecret(value: $value) { name placeholder version }
}
`;

const watchSecrets = `# Changes to your secrets as they happen. Run it, keep a secret in another tab, and look here again.
subscription WatchSecrets {
  secretChanged {
    type
    version
    secret {
      name
      maskedValue
    }
    at
    cursor
  }
}
`;

const useSecrets = `# Keys are used, and nobody holds them. In a terminal, with a useUrl and a path of its destination:
#   curl -H "Proxy-Authorization: Bearer $SECRETS_GATEWAY_TOKEN" USE_URL/v1/models
#   npx secrets-gateway use OPENAI_API_KEY -- /v1/models
# The token is one of the gateway's, and not the key. docs/broker.md
query UseSecrets {
  secrets {
    nodes {
      id
      name
      useUrl
      destination {
        origin
        header
        paths
      }
      health {
        status
        checkedAt
        source
      }
      lastUsedAt
    }
  }
}

# Asks the provider whether it still knows the value. Nobody sees the value.
mutation CheckSecret($input: CheckSecretInput!) {
  checkSecret(input: $input) {
    result
    secret {
      name
      health {
        status
        checkedAt
      }
    }
  }
}
`;

const inputOf = (input: object) => JSON.stringify({ input }, null, 2);

/** What the page has in its tabs at first. */
export const tabs = [
  { query: mySecrets, variables: '' },
  { query: keepSecret, variables: exampleSecret },
  { query: providerSecrets, variables: inputOf({ name: 'ANTHROPIC_API_KEY', provider: 'anthropic', value: '' }) },
  {
    query: controllerSecrets,
    variables: inputOf({ owner: { teamId: 'demo' }, name: 'switch in rack', notes: '', tags: [], value: '' }),
  },
  {
    query: connectorSecrets,
    variables: inputOf({ owner: { teamId: 'demo', connectorId: 'mail' }, name: 'client_id', value: '' }),
  },
  {
    query: manySecrets,
    variables: inputOf({
      owner: { teamId: 'demo' },
      onConflict: 'FAIL',
      dryRun: true,
      secrets: ['switch 1', 'switch 2'].map((name) => ({ name, value: '' })),
    }),
  },
  { query: useSecrets, variables: inputOf({ id: '' }) },
  { query: whoseValue, variables: JSON.stringify({ value: '' }, null, 2) },
  { query: watchSecrets, variables: '' },
];
