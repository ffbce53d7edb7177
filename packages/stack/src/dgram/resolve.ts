// From the address an application names to an IPv4 address.
import { isIPv4 } from 'node:net';
import { Ipv4Address } from '@rfsis/link';
import type { Lookup } from './arguments.js';
import { nameNotFound } from './errors.js';

/** Turns names into addresses. Addresses in dotted notation take no time. */
export class Resolver {
  readonly #lookup: Lookup | undefined;
  #lastText = '';
  #lastAddress: Ipv4Address | undefined;

  constructor(lookup: Lookup | undefined) {
    this.#lookup = lookup;
  }

  /** The address, when `text` is one or means this host; else it takes {@link Resolver.resolve}. */
  known(text: string): Ipv4Address | undefined {
    if (text === this.#lastText) return this.#lastAddress;
    const dotted = text === 'localhost' ? '127.0.0.1' : text;
    if (!isIPv4(dotted)) return undefined;
    this.#lastText = text;
    this.#lastAddress = Ipv4Address.parse(dotted);
    return this.#lastAddress;
  }

  /** Calls `done` with the address or an error; perhaps within this call. */
  resolve(text: string, done: (address: Ipv4Address | Error) => void): void {
    const address = this.known(text);
    if (address !== undefined) {
      done(address);
    } else if (this.#lookup === undefined) {
      done(nameNotFound(text));
    } else {
      this.#lookup(text, { family: 4 }, (error, found) => {
        if (error) done(error);
        else done(this.known(found) ?? nameNotFound(text));
      });
    }
  }
}
