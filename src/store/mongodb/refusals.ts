/**
 * Why a MongoDB server refuses a command that it would carry out at another time. The word is shown at /readyz.
 * docs/running.md says what each means to an operator.
 */
export type Refusal =
  | 'not-allowed'
  | 'throttled'
  | 'no-space'
  | 'no-primary'
  | 'snapshot-gone'
  | 'interrupted'
  | 'stale-routing';

/**
 * Codes by the categories of the server itself: mongodb/mongo, src/mongo/base/error_codes.yml. Codes that are in no category
 * there stand after a `+`. A code that is in none of these lists is answered as a defect: it says that a command is wrong.
 */
const codes: Readonly<Record<Refusal, readonly number[]>> = {
  'not-allowed': [
    // + UserNotFound, Unauthorized, AuthenticationFailed, RoleNotFound, PrivilegeNotFound, InvalidSSLConfiguration, SSLHandshakeFailed
    ...[11, 13, 18, 31, 33, 140, 141],
    // + AuthenticationRestrictionUnmet, MechanismUnavailable, AuthenticationAbandoned, UserWritesBlocked, ReauthenticationRequired
    ...[214, 334, 337, 371, 391],
    // + InvalidJWT, LDAPRoleAcquisitionError, and AtlasError, with which Atlas refuses a user or a full cluster
    ...[392, 404, 8000],
  ],
  throttled: [
    // SystemOverloadedError
    ...[433, 449, 450, 462],
    // + ExceededMemoryLimit, TooManyLocks, TooManyLogicalSessions, TooManyFilesOpen, TemporarilyUnavailable, ResourceExhausted
    ...[146, 208, 261, 264, 365, 402],
    // + RequestRateTooLarge of Cosmos DB
    16500,
  ],
  // + FileStreamFailed, LogWriteFailed, FileOpenFailed, OutOfDiskSpace
  'no-space': [39, 42, 176, 14031],
  'no-primary': [
    // NetworkError, and NetworkTimeoutError
    ...[6, 7, 89, 202, 317, 384, 9001],
    // NotPrimaryError, and its code of old servers
    ...[189, 10107, 11602, 13435, 13436, 10058],
    // ShutdownError, CloseConnectionError
    ...[91, 333, 11600, 303, 354, 372, 398],
    // + ReplicaSetNotFound, NodeNotFound, NotYetInitialized, NotSecondary, FailedToSatisfyReadPreference, PooledConnectionsDropped
    ...[71, 74, 94, 95, 133, 145],
    // + NoConfigPrimary, InitialSyncActive, ReplicaSetMonitorRemoved, ElectionInProgress, DNSHostNotFound, DNSProtocolError
    ...[149, 164, 199, 216, 230, 231],
    // + CurrentConfigNotCommittedYet, PooledConnectionAcquisitionExceededTimeLimit, ConfigServerUnreachable
    ...[308, 407, 56846],
    // WriteConcernError but for 64: too few members for a majority
    ...[75, 79, 100],
  ],
  // SnapshotError, + ReadConcernMajorityNotAvailableYet
  'snapshot-gone': [239, 246, 250, 272, 134],
  interrupted: [
    // Interruption but for 50
    ...[24, 237, 262, 279, 281, 282, 290, 355, 453, 11601, 46841, 91331, 10045600],
    // CancellationError, CursorInvalidatedError
    ...[90, 310, 312, 43, 96, 175, 314],
    // VoteAbortError of transactions that are gone, + WriteConflict, PreparedTransactionInProgress
    ...[225, 251, 356, 112, 267],
    // RetriableError that is nothing else
    ...[358, 412, 50915],
    // + LockBusy, LockFailed, ConflictingOperationInProgress, TransportSessionClosed and its like, ClusterTime of another server
    ...[46, 107, 117, 172, 173, 174, 205, 206, 209, 210, 211, 217, 363],
    // + BackgroundOperationInProgress
    ...[12586, 12587],
  ],
  'stale-routing': [
    // StaleShardVersionError, NeedRetargettingError, and their code of old servers
    ...[63, 150, 9996, 13388],
    // + ShardNotFound, IncompatibleShardingMetadata, ShardingStateNotInitialized, DatabaseDropPending, IndexModified, StaleDbVersion
    ...[70, 105, 203, 215, 221, 249],
    // + MovePrimaryInProgress, resharding, ShardCannotRefreshDueToLocksHeld, MigrationBlockingOperationCoordinatorCleaningUp
    ...[319, 338, 341, 342, 343, 406, 414],
  ],
};

const refusals: ReadonlyMap<number, Refusal> = new Map(
  Object.entries(codes).flatMap(([refusal, all]) => all.map((code) => [code, refusal as Refusal])),
);

/** @returns undefined when the code says that the command is wrong */
export function refusalOf(code: number): Refusal | undefined {
  return refusals.get(code);
}
