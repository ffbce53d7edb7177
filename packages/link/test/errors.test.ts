import { expect, it } from 'vitest';
import { LinkError } from '../src/index.js';

it('carries a stable code, a message and the cause', () => {
  const cause = new Error('why');
  const error = new LinkError('RFSIS_LINK_OPEN_FAILED', 'what to do', { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'LinkError',
    code: 'RFSIS_LINK_OPEN_FAILED',
    message: 'what to do',
    cause,
  });
});
