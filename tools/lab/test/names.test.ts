import { describe, expect, it } from 'vitest';
import {
  checkHostName,
  checkLabName,
  namespaceOf,
  ownedLabName,
  ownerOf,
  parseNamespace,
  portOf,
} from '../src/names.js';

describe('names', () => {
  it.each(['client', 'a', 'node2', 'abcdefghijklm'])('takes "%s" for a host', (name) => {
    checkHostName(name);
    expect(portOf(name).length).toBeLessThanOrEqual(15); // IFNAMSIZ less the terminating zero
  });

  it.each(['', 'Client', '2nd', 'two-words', 'abcdefghijklmn', 'switch', 'a b', 'a;b', 'a/b', 'ä'])(
    'refuses "%s" for a host',
    (name) => {
      expect(() => {
        checkHostName(name);
      }).toThrow(expect.objectContaining({ code: 'RFSIS_LAB_NAME_INVALID' }) as Error);
    },
  );

  it.each(['', '7up', '12-3', 'Demo', 'a--b', '-a', 'a-', 'a/b', 'x'.repeat(41)])(
    'refuses "%s" for a lab that stays',
    (name) => {
      expect(() => {
        checkLabName(name);
      }).toThrow(expect.objectContaining({ code: 'RFSIS_LAB_NAME_INVALID' }) as Error);
    },
  );

  it('takes every namespace of a lab apart again', () => {
    for (const lab of ['demo', 'echo-udp', 'echo-udp-2', ownedLabName(4711, 3)]) {
      const namespace = namespaceOf(lab, 'client');
      expect(parseNamespace(namespace)).toEqual({ namespace, lab, host: 'client' });
    }
  });

  it.each(['client', 'rfsis', 'rfsis-demo', 'rfsis-demo-Client', 'cni-1234', 'rfsis-demo-client2long3name4'])(
    'leaves namespace "%s" of others alone',
    (namespace) => {
      expect(parseNamespace(namespace)).toBeUndefined();
    },
  );

  it('knows the process that a lab ends with', () => {
    expect(ownerOf(ownedLabName(4711, 3))).toBe(4711);
    expect(ownerOf('demo')).toBeUndefined();
    expect(ownerOf('demo-4711-3')).toBeUndefined();
  });
});
