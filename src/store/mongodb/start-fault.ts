import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import {
  type Document,
  MongoClient,
  MongoCompatibilityError,
  MongoServerError,
  MongoServerSelectionError,
  type TopologyDescription,
} from 'mongodb';
import { ConfigurationError } from '../../errors.ts';
import { databaseInPath, optionsOf, refused } from './uri.ts';

/** How long a question to a server may take that is asked only to tell why it cannot be used. */
const probeMs = 1000;

const authenticationFailed = [18, 8000];
const unauthorized = 13;
const mechanismUnavailable = 334;
const notPrimary = [10107, 13435];

/**
 * Why a gateway cannot start on a MongoDB, each with its own fix. Asks the servers where the driver does not tell.
 * @param client that was to connect
 * @param error what it ended with. It may hold the URI, and so a password
 */
export async function faultOfStart(client: MongoClient, uri: string, error: unknown): Promise<ConfigurationError> {
  if (error instanceof ConfigurationError) return error;
  if (error instanceof MongoCompatibilityError) return tooOld();
  if (error instanceof MongoServerError) return faultOfServer(client, uri, error);
  if (error instanceof MongoServerSelectionError) return faultOfSelection(client, uri, error);
  const { syscall, code } = error as NodeJS.ErrnoException;
  if (
    /^query(Srv|Txt)$/.test(syscall ?? '') ||
    /No addresses found at host|does not share hostname/.test(String(error))
  ) {
    return refused(
      code === 'ENOTFOUND' || code === 'ENODATA' || code === undefined
        ? 'the name of mongodb+srv:// has no SRV record that can be used. Check the name, or write mongodb://HOST:PORT,… with the hosts themselves.'
        : `the name server did not answer for mongodb+srv:// (${code}). Check the DNS of this machine, or write mongodb://HOST:PORT,… with the hosts themselves.`,
      error,
    );
  }
  if (syscall === 'open' || syscall === 'read') {
    return refused(
      `a file that the URL names for TLS cannot be read (${code}). Check the paths of tlsCAFile and tlsCertificateKeyFile.`,
      error,
    );
  }
  const tls = faultOfTls(error);
  return tls ?? noPrimary(client, error);
}

export function standalone(): ConfigurationError {
  return refused(
    'the MongoDB server is standalone, and has no transactions. Name a replica set (a single member ' +
      'is enough: start mongod with --replSet rs0 and run rs.initiate() once) or a mongos.',
  );
}

export function notInitiated(): ConfigurationError {
  return refused(
    'the replica set is not initiated. Run rs.initiate() in mongosh once, on one member: mongosh --eval "rs.initiate()"',
  );
}

export function tooOld(): ConfigurationError {
  return refused('the MongoDB server is older than 6.0. Upgrade it.');
}

async function faultOfServer(client: MongoClient, uri: string, error: MongoServerError): Promise<ConfigurationError> {
  const code = Number(error.code);
  const hasUser = client.options.credentials !== undefined;
  if (authenticationFailed.includes(code)) {
    return refused(
      (await isUserOfAdmin(uri))
        ? 'MongoDB does not know the user in the database of the URL, but in admin. Add authSource=admin behind the ? of the URL.'
        : 'MongoDB refused the user or the password. Check both: a % in them is written as %25, and authSource names the database in which the user was created.',
      error,
    );
  }
  if (code === mechanismUnavailable) {
    return refused('MongoDB does not have the authMechanism of the URL. Leave it out, or enable it there.', error);
  }
  if (code === unauthorized && !hasUser) {
    return refused(
      'MongoDB asks for a user, and the URL has none. Write mongodb://USER:PASSWORD@HOST/DATABASE.',
      error,
    );
  }
  if (notPrimary.includes(code)) {
    return refused('the server is a secondary. Leave directConnection out and name the set: ?replicaSet=NAME', error);
  }
  return refused(
    `MongoDB refused a command (${error.codeName ?? error.code}). Name a user with the role readWrite and dbAdmin on the database.`,
    error,
  );
}

/** Most guides create the user in admin, and the driver looks for it in the database that the URL names. */
async function isUserOfAdmin(uri: string): Promise<boolean> {
  if (optionsOf(uri).has('authsource') || ['', 'admin'].includes(databaseInPath(uri))) return false;
  const client = new MongoClient(uri, { authSource: 'admin', serverSelectionTimeoutMS: probeMs });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

async function faultOfSelection(
  client: MongoClient,
  uri: string,
  error: MongoServerSelectionError,
): Promise<ConfigurationError> {
  const seeds = client.options.hosts.map(String);
  const servers = [...(error.reason as TopologyDescription).servers.values()];
  if (servers.some(({ type }) => type === 'RSGhost')) return notInitiated();
  const faults = servers.flatMap(({ error: fault }) => (fault ? [fault] : []));
  const tls = faults.map(faultOfTls).find((found) => found !== undefined);
  if (tls) return tls;
  const isNamedElsewhere = servers.length > 0 && servers.every(({ address }) => !seeds.includes(address));
  if (isNamedElsewhere && faults.length > 0) {
    return refused(
      'the replica set names its members by hosts that cannot be reached from here. Add directConnection=true for a set of one member, or give the members names that can be reached: rs.reconfig().',
      error,
    );
  }
  const codes = faults.map(codeOf);
  if (codes.length > 0 && codes.every((code) => code === 'ENOTFOUND' || code === 'EAI_AGAIN')) {
    return refused('no host of the URL has an address (its name does not resolve). Check the names.', error);
  }
  if (codes.length > 0 && codes.every((code) => code === 'ECONNREFUSED')) {
    return refused('nothing listens at the host and port of the URL. Start MongoDB there, or correct them.', error);
  }
  return (await faultByProbe(client, uri, seeds, error)) ?? noPrimary(client, error);
}

/** Asks the servers that the URL names one by one: the driver does not tell what they answered. */
async function faultByProbe(
  client: MongoClient,
  uri: string,
  seeds: readonly string[],
  error: unknown,
): Promise<ConfigurationError | undefined> {
  const isTls = client.options.tls;
  for (const address of seeds) {
    const hello = await askHello(address, uri, isTls);
    if (hello && client.options.replicaSet !== undefined && hello.setName !== client.options.replicaSet) {
      if (hello.isreplicaset) return notInitiated();
      if (hello.setName === undefined) return hello.msg === 'isdbgrid' ? mongosWithSet(error) : standalone();
      return refused('the replica set has another name than replicaSet= in the URL. rs.status().set tells it.', error);
    }
    if (hello) continue;
    if (!isTls && (await speaksTls(address))) {
      return refused(
        'the server speaks TLS, and the URL does not ask for it. Add tls=true behind the ? of the URL, and tlsCAFile=PATH for an authority of your own.',
        error,
      );
    }
    if (isTls && !optionsOf(uri).has('tlscertificatekeyfile') && (await speaksTls(address))) {
      return refused(
        'the server closes connections after the TLS handshake. If it asks for a certificate of the client, add tlsCertificateKeyFile=PATH.',
        error,
      );
    }
    if (isTls && (await askHello(address, uri, false))) {
      return refused(
        'the server does not speak TLS, and the URL asks for it. Leave tls=true out, or start the server with TLS.',
        error,
      );
    }
  }
  return undefined;
}

function mongosWithSet(error: unknown): ConfigurationError {
  return refused('the server is a mongos, which belongs to no replica set. Leave replicaSet= out.', error);
}

/** @returns undefined when there is no answer. No credentials are sent. */
async function askHello(address: string, uri: string, tls: boolean): Promise<Document | undefined> {
  const ofTls = [...optionsOf(uri)].filter(([name]) => tls && /^tls|^ssl/.test(name));
  const options = new URLSearchParams([...ofTls.filter(([name]) => name !== 'ssl' && name !== 'tls')]);
  const client = new MongoClient(`mongodb://${address}/?${options}`, {
    tls,
    directConnection: true,
    serverSelectionTimeoutMS: probeMs,
    connectTimeoutMS: probeMs,
  });
  try {
    return await client.db('admin').command({ hello: 1 });
  } catch {
    return undefined;
  } finally {
    await client.close();
  }
}

/** Nothing is sent over the connection, so that its certificate need not be checked. */
async function speaksTls(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(probeMs) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function faultOfTls(error: unknown): ConfigurationError | undefined {
  const code = codeOf(error);
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return refused(
        'the certificate of the server comes from an authority that is not known here. Add tlsCAFile=PATH, with the certificate of that authority.',
        error,
      );
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return refused('the certificate of the server is not valid at this time. Renew it, or set the clock.', error);
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return refused(
        'the certificate of the server is for another name than the host of the URL. Write a host that is in it.',
        error,
      );
    default:
      return /ALERT|HANDSHAKE_FAILURE/.test(code ?? '')
        ? refused(
            `the server ended the TLS handshake (${code}). If it asks for a certificate of the client, add tlsCertificateKeyFile=PATH.`,
            error,
          )
        : undefined;
  }
}

/** The driver wraps the error of a socket more than once. */
function codeOf(error: unknown): string | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if ('code' in inner && typeof inner.code === 'string') return inner.code;
  }
  return undefined;
}

function noPrimary(client: MongoClient, error: unknown): ConfigurationError {
  return refused(
    `no MongoDB primary answered within ${client.options.serverSelectionTimeoutMS} ms. ` +
      'Check the hosts, the port and that the replica set has a primary.',
    error,
  );
}
