import { describe, expect, it } from 'vitest';
import { RfsisError } from '../src/errors.js';

describe('an error', () => {
  it('has a stable code, a message of one line, and the cause', () => {
    const cause = new Error('EACCES');
    const error = new RfsisError('RFSIS_CONTROL_SOCKET', 'cannot make it', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'RfsisError',
      code: 'RFSIS_CONTROL_SOCKET',
      message: 'cannot make it',
      cause,
    });
  });
});
