import { BSON, type Document } from 'mongodb';

const string = 0x02;
const object = 0x03;
const array = 0x04;
const dateTime = 0x09;
const nothing = 0x0a;
const int32 = 0x10;

/** In bytes. What is longer is read faster by native code, which need not look at it byte by byte. */
const shortRow = 1024;
const shortText = 64;

/** Made once: a stack trace for each row would cost more than BSON does. */
const surprise = new Error('the row is not as gateways write it');

/**
 * Reads one BSON document, field by field, in the order in which a gateway wrote them. Whatever is different (another field, type or
 * order, a length that does not fit) ends the reading. So a value is returned only where BSON returns the same.
 */
export class RowReader {
  #bytes: Buffer = Buffer.alloc(0);
  /** All of a short row as Latin-1: a text in ASCII is a piece of it, without a further call into native code. */
  #latin1 = '';
  #at = 0;
  /** The position of the terminator of what is read. */
  #end = 0;

  /** @throws surprise */
  read<T>(bytes: Buffer, row: (reader: RowReader) => T): T {
    this.#bytes = bytes;
    this.#latin1 = bytes.length > shortRow ? '' : bytes.toString('latin1');
    this.#at = 0;
    this.#end = bytes.length;
    const end = this.#enter();
    if (end !== bytes.length) throw surprise;
    const value = row(this);
    this.#leave(end);
    return value;
  }

  /** Whether the next field has this name. */
  isNext(name: string): boolean {
    const nameAt = this.#at + 1;
    for (let n = 0; n < name.length; n += 1) if (this.#bytes[nameAt + n] !== name.charCodeAt(n)) return false;
    return this.#bytes[nameAt + name.length] === 0;
  }

  text(name: string): string {
    this.#field(string, name);
    return this.#string();
  }

  textOrNull(name: string): string | null {
    return this.#isNull(name) ? null : this.text(name);
  }

  texts(name: string): string[] {
    this.#field(array, name);
    const outer = this.#end;
    const end = this.#enter();
    const texts: string[] = [];
    while (this.#at < this.#end) {
      if (this.#bytes[this.#at] !== string) throw surprise;
      // The index, which BSON does not look at either.
      while (this.#bytes[this.#at + 1] !== 0 && this.#at < this.#end) this.#at += 1;
      this.#at += 2;
      texts.push(this.#string());
    }
    this.#leave(end);
    this.#end = outer;
    return texts;
  }

  integer(name: string): number {
    this.#field(int32, name);
    return this.#int32();
  }

  date(name: string): Date {
    this.#field(dateTime, name);
    const low = this.#int32() >>> 0;
    const high = this.#int32();
    return new Date(high * 2 ** 32 + low);
  }

  object<T>(name: string, row: (reader: RowReader) => T): T {
    this.#field(object, name);
    const outer = this.#end;
    const end = this.#enter();
    const value = row(this);
    this.#leave(end);
    this.#end = outer;
    return value;
  }

  objectOrNull<T>(name: string, row: (reader: RowReader) => T): T | null {
    return this.#isNull(name) ? null : this.object(name, row);
  }

  #isNull(name: string): boolean {
    if (this.#bytes[this.#at] !== nothing) return false;
    this.#field(nothing, name);
    return true;
  }

  #field(type: number, name: string): void {
    if (this.#bytes[this.#at] !== type || !this.isNext(name)) throw surprise;
    this.#at += name.length + 2;
  }

  /** Goes into the document that begins here. @returns where it is over */
  #enter(): number {
    const start = this.#at;
    const end = start + this.#int32();
    if (end < this.#at || end > this.#end || this.#bytes[end - 1] !== 0) throw surprise;
    this.#end = end - 1;
    return end;
  }

  #leave(end: number): void {
    if (this.#at !== end - 1) throw surprise;
    this.#at = end;
  }

  #int32(): number {
    const at = this.#at;
    const bytes = this.#bytes;
    this.#at = at + 4;
    if (this.#at > this.#end) throw surprise;
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  }

  #string(): string {
    const size = this.#int32();
    const start = this.#at;
    const end = start + size - 1;
    const bytes = this.#bytes;
    if (size < 1 || end >= this.#end || bytes[end] !== 0) throw surprise;
    this.#at = end + 1;
    let isPiece = size <= shortText && this.#latin1 !== '';
    for (let at = start; isPiece && at < end; at += 1) isPiece = (bytes[at] as number) < 0x80;
    return isPiece ? this.#latin1.substring(start, end) : bytes.toString('utf8', start, end);
  }
}

/** Makes the same of a row in two ways. */
export interface RowDecoder<T> {
  /** Of a row as gateways write it. */
  read(row: RowReader): T;
  /** Of any other, as BSON has it. */
  of(document: Document): T;
}

/** As the driver has it: everything was written by a gateway, which refuses ill-formed text. */
const bsonOptions = { validation: { utf8: false } } as const;

/** @throws BSONError for what is no BSON */
export function decodeRows<T>(rows: readonly Uint8Array[], decoder: RowDecoder<T>): T[] {
  const reader = new RowReader();
  return rows.map((row) => {
    if (!(row instanceof Uint8Array)) throw new TypeError('a row of the reply is no document');
    const bytes = Buffer.isBuffer(row) ? row : Buffer.from(row.buffer, row.byteOffset, row.byteLength);
    try {
      return reader.read(bytes, decoder.read);
    } catch (error) {
      if (error !== surprise) throw error;
      return decoder.of(BSON.deserialize(bytes, bsonOptions));
    }
  });
}
