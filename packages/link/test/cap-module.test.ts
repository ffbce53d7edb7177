import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { loadCap, loadFrom, requireImmediateMode, type RequireFunction } from '../src/cap-module.js';

const failing = (message: string): RequireFunction =>
  (() => {
    throw new Error(message);
  }) as unknown as RequireFunction;

const refused = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'RFSIS_LINK_NO_CAP', message: expect.stringMatching(message) as string });

describe('loading cap', () => {
  it('says how to install it when it is missing', () => {
    const message = /not installed or was not built: apt-get install libpcap-dev .*npm install again/;
    expect(() => loadFrom(failing("Cannot find module 'cap'\nRequire stack:\n- here"))).toThrow(
      refused(message),
    );
    expect(() => loadFrom(failing("Cannot find module '../build/Release/cap.node'"))).toThrow(
      refused(message),
    );
  });

  it('says so when libpcap is missing, in one line', () => {
    const error = 'libpcap.so.0.8: cannot open shared object file: No such file or directory\nmore';
    expect(() => loadFrom(failing(error))).toThrow(
      refused(/cannot be loaded \(libpcap\.so\.0\.8: .*\): apt-get[^\n]*$/),
    );
  });

  it('says so when Node.js has changed under it', () => {
    const error =
      "The module '/x/cap.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 115.";
    expect(() => loadFrom(failing(error))).toThrow(
      refused(/built for another version of Node.js: npm rebuild cap/),
    );
  });

  it('refuses a worker thread, where it could not be loaded', () => {
    expect(() => loadFrom(failing('not reached'), false)).toThrow(
      refused(/worker thread: open the device in the main/),
    );
  });

  it.runIf(process.platform === 'linux')('refuses to go without immediate mode', () => {
    expect(() => {
      requireImmediateMode('librfsis-is-not-there.so');
    }).toThrow(refused(/^librfsis-is-not-there\.so was not found.*apt-get install libpcap-dev/));
  });

  it('does not load it before it is needed', async () => {
    const worker = new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true });
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
    // Importing the package, as this file does, loads nothing native.
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter((file) =>
      file.includes('cap.node'),
    );
    expect(loaded).toEqual([]);
  });
});

describe.skipIf(!isInstalled())('the module installed here', () => {
  it('loads, once, and knows whether it contains assertions', () => {
    const module = loadCap();
    expect(typeof module.Cap).toBe('function');
    expect(typeof module.abortsOnInterfaceDown).toBe('boolean');
    expect(loadCap()).toBe(module);
  });
});

/** In continuous integration it must be. */
function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('cap');
    return true;
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    return false;
  }
}
