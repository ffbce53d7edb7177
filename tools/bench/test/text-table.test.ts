import { expect, it } from 'vitest';
import { textTable } from '../src/text-table.js';

it('aligns the first column to the left and figures to the right', () => {
  const rows = [
    ['name', 'ms'],
    ['a', '10.0'],
    ['longer', '9.5', 'note'],
  ];
  expect(textTable(rows).split('\n')).toEqual(['name      ms', 'a       10.0', 'longer   9.5  note']);
});

it('is empty without rows', () => {
  expect(textTable([])).toBe('');
});
