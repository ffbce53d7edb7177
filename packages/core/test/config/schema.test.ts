import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationSchema } from '../../src/config/schema.js';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly additionalProperties?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
}

describe('the schema', () => {
  it('is what config.schema.json holds; if not: npx rfsis schema > packages/core/config.schema.json', () => {
    const published = readFileSync(join(import.meta.dirname, '../../config.schema.json'), 'utf8');
    expect(JSON.parse(published)).toEqual(configurationSchema);
  });

  it('explains every key and knows no others', () => {
    const keys: string[] = [];
    const visit = ({ properties, additionalProperties }: Schema, path: string): void => {
      if (properties === undefined) return;
      expect(additionalProperties, `${path} is closed`).toBe(false);
      for (const [name, schema] of Object.entries(properties)) {
        const key = path === '' ? name : `${path}.${name}`;
        keys.push(key);
        if (schema.type !== 'object') expect(schema.description, `${key} is explained`).toMatch(/\.$/);
        visit(schema, key);
      }
    };
    visit(configurationSchema, '');
    expect(keys).toContain('heartbeat.phiThreshold');
  });
});
