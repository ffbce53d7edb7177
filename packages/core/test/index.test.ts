import { expect, it } from 'vitest';
import * as core from '../src/index.js';

it('the package offers what the README tells of, and nothing by accident', () => {
  expect(Object.keys(core).sort()).toEqual([
    'ControlClient',
    'EXIT_USAGE',
    'RfsisError',
    'RfsisNode',
    'configurationSchema',
    'createLogger',
    'findControlSocket',
    'parseConfiguration',
    'readConfiguration',
    'runNode',
  ]);
});
