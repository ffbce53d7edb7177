// A directory that looks like /sys/class/net, and a stand-in for the native capture module.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CapCapture, CapModule } from '../src/cap-module.js';

export interface FakeAttributes {
  type?: number;
  address?: string;
  mtu?: number;
  flags?: string;
  operstate?: string;
  ifindex?: number;
  carrier_changes?: number;
}

/** Interfaces of a machine that is not there. */
export class FakeSysfs {
  readonly directory = mkdtempSync(join(tmpdir(), 'rfsis-sysfs-'));

  /** Makes or changes an interface. */
  set(name: string, attributes: FakeAttributes): void {
    const directory = join(this.directory, name);
    mkdirSync(directory, { recursive: true });
    for (const [attribute, value] of Object.entries(attributes)) {
      writeFileSync(join(directory, attribute), `${String(value)}\n`);
    }
  }

  /** An Ethernet interface that is switched on and has a carrier. */
  addEthernet(name: string, address: string): void {
    this.set(name, {
      type: 1,
      address,
      mtu: 1500,
      flags: '0x1003',
      operstate: 'up',
      ifindex: 7,
      carrier_changes: 2,
    });
  }

  unset(name: string): void {
    rmSync(join(this.directory, name), { recursive: true });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A capture that records what it is asked for. */
export class FakeCapture extends EventEmitter implements CapCapture {
  opened: { name: string; filter: string; ringOctets: number } | undefined;
  closed = false;
  readonly sent: Uint8Array[] = [];
  #buffer: Uint8Array = new Uint8Array(0);
  readonly #lab: FakeCap;

  constructor(lab: FakeCap) {
    super();
    this.#lab = lab;
  }

  open(name: string, filter: string, ringOctets: number, buffer: Uint8Array): string {
    if (this.#lab.openError !== undefined) throw new Error(this.#lab.openError);
    this.opened = { name, filter, ringOctets };
    this.#buffer = buffer;
    return this.#lab.linkType;
  }

  send(frame: Uint8Array, octets: number): void {
    if (this.opened === undefined || this.closed) throw new Error('here the real one would crash');
    if (this.#lab.sendError !== undefined) throw new Error(this.#lab.sendError);
    this.sent.push(frame.slice(0, octets));
  }

  close(): boolean {
    this.closed = true;
    return true;
  }

  /** As if the frame had come in. */
  arrive(frame: Uint8Array): void {
    this.#buffer.set(frame);
    this.emit('packet', frame.length, false);
  }
}

/** Stands in for the module `cap`. */
export class FakeCap {
  readonly captures: FakeCapture[] = [];
  openError: string | undefined;
  sendError: string | undefined;
  linkType = 'ETHERNET';

  /** The capture made last. */
  get latest(): FakeCapture {
    const capture = this.captures.at(-1);
    if (capture === undefined) throw new Error('no capture was made');
    return capture;
  }

  module(abortsOnInterfaceDown = false): CapModule {
    const make = (): FakeCapture => {
      const capture = new FakeCapture(this);
      this.captures.push(capture);
      return capture;
    };
    return {
      Cap: function Cap() {
        return make();
      } as unknown as CapModule['Cap'],
      abortsOnInterfaceDown,
    };
  }
}
