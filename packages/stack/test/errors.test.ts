import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { SocketError, StackError } from '../src/index.js';

describe('SocketError', () => {
  it('looks like a system error of Node', () => {
    const error = new SocketError('EADDRINUSE', 'bind', '10.0.0.1', 7);
    expect(error).toMatchObject({
      name: 'Error',
      message: 'bind EADDRINUSE 10.0.0.1:7',
      code: 'EADDRINUSE',
      errno: -constants.errno.EADDRINUSE,
      syscall: 'bind',
      address: '10.0.0.1',
      port: 7,
    });
    expect(new SocketError('ECONNREFUSED', 'recvmsg').message).toBe('recvmsg ECONNREFUSED');
    expect(new SocketError('EADDRNOTAVAIL', 'bind', '10.0.0.1').message).toBe('bind EADDRNOTAVAIL 10.0.0.1');
  });
});

describe('StackError', () => {
  it('has a stable code', () => {
    expect(new StackError('RFSIS_STACK_LIMIT', 'full')).toMatchObject({
      name: 'StackError',
      code: 'RFSIS_STACK_LIMIT',
      message: 'full',
    });
  });
});
