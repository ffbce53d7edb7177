// Loads the optional native module `cap` (libpcap), declares the part of it that is used here, and guards against its traps.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { LinkError } from './errors.js';

/** One capture. */
export interface CapCapture {
  /** The frame lies at the start of the buffer given to {@link CapCapture.open}. */
  on(event: 'packet', listener: (octets: number, truncated: boolean) => void): unknown;
  removeAllListeners(event: 'packet'): unknown;
  /** @returns the link type, `ETHERNET` for Ethernet */
  open(interfaceName: string, filter: string, ringOctets: number, buffer: Uint8Array): string;
  /** Any Uint8Array will do. Without an open capture the process crashes. */
  send(frame: Uint8Array, octets: number): void;
  close(): boolean;
}

/** What `cap` exports, as far as it is used. */
export interface CapModule {
  readonly Cap: new () => CapCapture;
  /**
   * Whether this build of `cap` aborts the process when an interface is switched off under it: it does unless it was
   * compiled with NDEBUG.
   */
  readonly abortsOnInterfaceDown: boolean;
}

/** The part of Node's `require` that is needed; spelled out, so that users of the types need not have those of Node.js. */
export interface RequireFunction {
  (module: string): unknown;
  readonly resolve: (module: string) => string;
}

/**
 * Every capture ever made, open or not. The destructor of a capture that was closed, or that could not be opened, leaves a
 * dangling handle in the event loop, and crashes the process at some later garbage collection: so none may be collected.
 * There is one for each device, and one for each time an interface was switched off and on under it.
 */
const immortal: CapCapture[] = [];

/** Makes a capture that is never garbage collected. */
export function newCapture(module: CapModule): CapCapture {
  const capture = new module.Cap();
  immortal.push(capture);
  return capture;
}

let loaded: CapModule | undefined;

/**
 * Loads `cap`, once.
 * @throws {LinkError} `RFSIS_LINK_NO_CAP` with what to do
 */
export function loadCap(): CapModule {
  loaded ??= loadFrom(createRequire(import.meta.url));
  return loaded;
}

/** For tests: {@link loadCap} by another `require`. @internal */
export function loadFrom(require: RequireFunction, inMainThread = isMainThread): CapModule {
  if (!inMainThread) {
    throw noCap('the module "cap" cannot be loaded in a worker thread: open the device in the main thread');
  }
  let module: Pick<CapModule, 'Cap'>;
  try {
    module = require('cap') as Pick<CapModule, 'Cap'>;
  } catch (error) {
    throw noCap(whyNotLoaded(error), error);
  }
  if (process.platform === 'linux') requireImmediateMode('libpcap.so');
  return { Cap: module.Cap, abortsOnInterfaceDown: hasAssertions(require) };
}

/**
 * `cap` looks libpcap up by this very name, and without it frames arrive up to a second late.
 * @internal
 */
export function requireImmediateMode(library: string): void {
  try {
    process.dlopen({ exports: {} }, library);
  } catch (error) {
    // A library that was found, and is no Node module.
    if (error instanceof Error && error.message.includes('self-register')) return;
    throw noCap(
      `${library} was not found, without it frames would arrive up to a second late: apt-get install libpcap-dev`,
      error,
    );
  }
}

function whyNotLoaded(error: unknown): string {
  const install =
    'apt-get install libpcap-dev g++ make python3, then npm install again (with install scripts allowed)';
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes('NODE_MODULE_VERSION')) {
    return 'the optional module "cap" was built for another version of Node.js: npm rebuild cap';
  }
  const message = text.split('\n', 1)[0] ?? '';
  if (/^Cannot find module '(?:cap'|.*cap\.node)/.test(message)) {
    return `the optional module "cap" is not installed or was not built: ${install}`;
  }
  return `the optional module "cap" cannot be loaded (${message}): ${install}`;
}

function hasAssertions(require: RequireFunction): boolean {
  try {
    // The text of the assertion that fails.
    return readFileSync(require.resolve('cap/build/Release/cap.node'), 'latin1').includes('status == 0');
  } catch {
    return false;
  }
}

function noCap(message: string, cause?: unknown): LinkError {
  return new LinkError('RFSIS_LINK_NO_CAP', message, { cause });
}
