import { DomainError } from '../errors.ts';

/**
 * Bytes of JSON in the answer to one request. 40,000 secrets with the fields that a list shows have as many, and take about
 * 60 MB of memory until the answer has been written.
 */
const maxAnswerBytes = 10 * 1024 * 1024;

/** UTF-8 bytes of values that one request may have delivered. */
export const maxValueBytes = 16 * 1024 * 1024;

/** What the lists of one request may scan before no further list is read. It takes about 2 s. */
const maxScannedRows = 2_000_000;

/** Rows that are read at once for one request, before it is known how long they are. The longest have 20 KB. */
const firstRows = 1000;
const maxRows = 10_000;
/** What the rows that are read at once may take together. */
const maxBytesAtOnce = 8 * 1024 * 1024;

/**
 * What is being made to answer one request. Its size is counted while it is made, and what is read ahead is limited, so that
 * no answer is larger in memory than a client may be sent. Nothing is made any more once it is stopped.
 */
export class Answer {
  #bytes = 0;
  #scannedRows = 0;
  #valueBytes = 0;
  #deliveries = 0;
  #written = 0;
  #stopped: DomainError | null = null;
  /** Null once it has ended. */
  #onEnd: (() => void)[] | null = [];
  readonly #onCutOff: () => void;
  #rowsAtOnce = firstRows;
  #longestRow = 1;
  #reading = 0;
  readonly #waiting: { readonly rows: number; readonly start: () => void }[] = [];

  /** @param onCutOff ends the response, whatever has been sent of it */
  constructor(onCutOff: () => void = () => {}) {
    this.#onCutOff = onCutOff;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Rows that were looked at for filters. */
  get scannedRows(): number {
    return this.#scannedRows;
  }

  /** Why nothing is made any more. */
  get stopped(): DomainError | null {
    return this.#stopped;
  }

  /** Bytes that the answer will have more, roughly. Beyond the limit it is stopped. */
  count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > maxAnswerBytes) this.stop(tooLarge());
  }

  countScanned(rows: number): void {
    this.#scannedRows += rows;
  }

  /** @throws DomainError when the filters of earlier lists have looked at too much */
  requireScan(): void {
    if (this.#scannedRows > maxScannedRows) this.stop(scannedTooMuch());
    this.throwIfStopped();
  }

  /** Values that were delivered. */
  get deliveries(): number {
    return this.#deliveries;
  }

  get valueBytes(): number {
    return this.#valueBytes;
  }

  /**
   * Before values are delivered: counts their bytes, or takes them back when the number is negative.
   * @throws DomainError BAD_REQUEST when that is too much for one request, and nothing is counted
   */
  addValueBytes(bytes: number): void {
    if (this.#valueBytes + bytes > maxValueBytes) throw tooMuchDelivered();
    this.#valueBytes += bytes;
  }

  countDeliveries(count: number): void {
    this.#deliveries += count;
  }

  /** Secrets that batches were asked to write. */
  get written(): number {
    return this.#written;
  }

  countWritten(count: number): void {
    this.#written += count;
  }

  /** Calls it when the answer has been sent, or is given up; at once when that is so already. */
  onEnd(callback: () => void): void {
    if (this.#onEnd) this.#onEnd.push(callback);
    else callback();
  }

  end(): void {
    const callbacks = this.#onEnd ?? [];
    this.#onEnd = null;
    for (const callback of callbacks) callback();
  }

  /** Ends an answer that its client does not read, or reads too slowly. */
  cutOff(): void {
    this.#onCutOff();
  }

  stop(reason: DomainError): void {
    this.#stopped ??= reason;
  }

  /** @throws DomainError the reason why it was stopped */
  throwIfStopped(): void {
    if (this.#stopped) throw this.#stopped;
  }

  /** @returns undefined to read this many rows at once, otherwise a promise that is fulfilled when others have been read */
  beginRead(rows: number): Promise<void> | undefined {
    if (this.#mayRead(rows)) {
      this.#reading += rows;
      return undefined;
    }
    return new Promise((start) => {
      this.#waiting.push({ rows, start });
    });
  }

  /** @param longestRow in bytes, of the rows that were read; asked for only while others wait */
  endRead(rows: number, longestRow: () => number): void {
    this.#reading -= rows;
    if (this.#waiting.length === 0) return;
    this.#longestRow = Math.max(this.#longestRow, longestRow());
    this.#rowsAtOnce = Math.min(maxRows, Math.max(firstRows, maxBytesAtOnce / this.#longestRow));
    for (let next = this.#waiting[0]; next && this.#mayRead(next.rows); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#reading += next.rows;
      next.start();
    }
  }

  #mayRead(rows: number): boolean {
    return this.#reading === 0 || this.#reading + rows <= this.#rowsAtOnce;
  }
}

function scannedTooMuch(): DomainError {
  return new DomainError('BAD_REQUEST', {
    type: 'scan_limit_error',
    message: 'The filters look at too much.',
    description:
      'Send fewer lists with filters at once, or filters with fewer tags. Mutations in the operation were carried out.',
  });
}

function tooMuchDelivered(): DomainError {
  return new DomainError('BAD_REQUEST', {
    type: 'delivery_limit_error',
    message: 'That is too much to deliver at once.',
    description: `The values may have at most ${maxValueBytes / 1024 / 1024} MiB together in one request. Ask for fewer secrets at once. Nothing of this was delivered.`,
  });
}

function tooLarge(): DomainError {
  return new DomainError('BAD_REQUEST', {
    type: 'answer_limit_error',
    message: 'The answer would be too large.',
    description: `It may have at most ${maxAnswerBytes / 1024 / 1024} MiB. Ask for fewer secrets or fields, or in parts. Mutations in the operation were carried out.`,
  });
}
