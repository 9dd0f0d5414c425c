// Owns the check of linear-time patterns and of JSON Schema, whose own patterns must be answered by them.
import { describe, expect, test } from 'vitest';
import { gradeJsonSchema, readJson } from '../../../../src/core/measure/jsonSchema.ts';
import { compilePattern, gradePattern, type PatternOptions } from '../../../../src/core/measure/pattern.ts';

describe('gradePattern', () => {
  test.each<[string | null, string, PatternOptions, number | null]>([
    ['abc', 'b', {}, 1],
    ['abc', 'B', {}, 0],
    ['abc', 'B', { ignoreCase: true }, 1],
    ['abc', 'b', { whole: true }, 0],
    ['abc', 'a.c', { whole: true }, 1],
    ['a\nb', '^b$', {}, 0],
    ['a\nb', '^b$', { multiline: true }, 1],
    ['a\nb', 'a.b', {}, 0],
    ['a\nb', 'a.b', { dotAll: true }, 1],
    ['한국', String.raw`^\p{Hangul}+$`, {}, 1],
    [null, 'a', {}, 0],
    ['abc', '(', {}, null],
    ['abcabc', String.raw`(abc)\1`, {}, null],
    ['abc', '(?=a)', {}, null],
  ])('%j, %j, %j: %j', (answer, pattern, options, score) =>
    expect(gradePattern(answer, pattern, options).score).toBe(score),
  );

  test.each([
    ['nested repetition', '^(a+)+$'],
    ['alternatives', '^(a|aa)+$'],
    ['empty repetition', '^(a*)*$'],
    ['overlapping', '^(.*a){12}$'],
  ])('a million characters against %s', (_name, pattern) => {
    expect(gradePattern(`${'a'.repeat(100_000)}!`, pattern).score).toBe(0);
  });

  test('refuses patterns that grow beyond use', () => {
    expect(compilePattern('a'.repeat(3_000)).ok).toBe(false);
    expect(compilePattern('(?:a{1000}){1000}').ok).toBe(false);
  });
});

const person = {
  type: 'object',
  properties: {
    name: { type: 'string', pattern: '^(a+)+$' },
    pattern: { enum: ['^kept as it is$'] },
    tags: { type: 'array', items: { type: 'string' }, uniqueItems: true },
  },
  required: ['name'],
  patternProperties: { '^x_': { type: 'number' }, '^x': { minimum: 3 } },
  additionalProperties: false,
};

describe('gradeJsonSchema', () => {
  test.each<[string | null, number | null]>([
    ['{"name":"aaa"}', 1],
    ['```json\n{"name":"aaa"}\n```', 1],
    ['{"name":"ab"}', 0],
    ['{"name":1}', 0],
    ['{}', 0],
    ['{"name":"a","x_1":5}', 1],
    ['{"name":"a","x_1":2}', 0],
    ['{"name":"a","x_1":"5"}', 0],
    ['{"name":"a","x1":"text"}', 1],
    ['{"name":"a","y":1}', 0],
    ['{"name":"a","pattern":"^kept as it is$"}', 1],
    ['{"name":"a","pattern":"other"}', 0],
    ['{"name":"a","tags":["p","q"]}', 1],
    ['{"name":"a","tags":["p","p"]}', 0],
    ['{"name":', 0],
    ['no JSON', 0],
    ['[1]', 0],
    [null, 0],
  ])('%j: %j', (answer, score) => {
    const grade = gradeJsonSchema(answer, person);
    expect(grade.score, grade.reason).toBe(score);
    expect(gradeJsonSchema(answer, JSON.stringify(person)).score).toBe(score);
  });

  test('a pattern is not asked about other texts, and holds under not, anyOf and $ref', () => {
    const schema = {
      $defs: { code: { pattern: '^[A-Z]{2}$' } },
      anyOf: [{ $ref: '#/$defs/code' }, { type: 'number' }],
      not: { pattern: '^XX$' },
    };
    expect(gradeJsonSchema('"AB"', schema).score).toBe(1);
    expect(gradeJsonSchema('"XX"', schema).score).toBe(0);
    expect(gradeJsonSchema('"abc"', schema).score).toBe(0);
    // A pattern holds for whatever is no text, so its negation does not.
    expect(gradeJsonSchema('17', schema).score).toBe(0);
    expect(gradeJsonSchema('17', { ...schema, not: { type: 'string', pattern: '^XX$' } }).score).toBe(1);
  });

  test.each<[string, unknown, number]>([
    [
      'draft 4',
      { $schema: 'http://json-schema.org/draft-04/schema#', minimum: 3, exclusiveMinimum: true },
      0,
    ],
    ['draft 7', { $schema: 'http://json-schema.org/draft-07/schema#', exclusiveMinimum: 3 }, 0],
    ['2020-12', { type: 'integer', multipleOf: 3 }, 1],
    ['a boolean', false, 0],
  ])('%s', (_name, schema, score) => expect(gradeJsonSchema('3', schema).score).toBe(score));

  test.each<[string, unknown]>([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['an unknown reference', { $ref: 'https://example.org/other' }],
    ['a circle', { $ref: '#' }],
    ['a pattern RE2 lacks', { pattern: '(?=a)' }],
  ])('is unknown for a schema that cannot be used: %s', (_name, schema) =>
    expect(gradeJsonSchema('"a"', schema).score).toBeNull(),
  );

  test('checks formats that are quick, and leaves the others as notes', () => {
    expect(gradeJsonSchema('"2020-02-30"', { format: 'date' }).score).toBe(0);
    expect(gradeJsonSchema('"2020-02-28"', { format: 'date' }).score).toBe(1);
    expect(gradeJsonSchema('"not a uri"', { format: 'uri' }).score).toBe(1);
  });

  test('is unknown for values too large or too deep, and stops at no pattern', () => {
    const deep = `${'['.repeat(1_000)}${']'.repeat(1_000)}`;
    expect(gradeJsonSchema(deep, {}).score).toBeNull();
    expect(gradeJsonSchema(`[${'1,'.repeat(60_000)}1]`, {}).score).toBeNull();
    expect(gradeJsonSchema(`[${'1,'.repeat(6_000)}1]`, { uniqueItems: true }).score).toBeNull();
    expect(gradeJsonSchema(JSON.stringify({ name: `${'a'.repeat(50_000)}!` }), person).score).toBe(0);
  });
});

describe('readJson', () => {
  test.each(['{"a":1}', ' {"a":1}\n', '```\n{"a":1}\n```', '```json\n{"a":1}\n```', '```JSON\n{"a":1}```'])(
    '%j',
    (text) => expect(readJson(text)).toEqual({ ok: true, value: { a: 1 } }),
  );
  test.each(['', 'a', '{"a":1} and more', '{a:1}'])('%j is none', (text) =>
    expect(readJson(text).ok).toBe(false),
  );
});
