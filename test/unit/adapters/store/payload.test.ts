import { fc } from './property.ts';
import { describe, expect, test } from 'vitest';
import { checksum, decodeText, encodeText } from '../../../../src/adapters/store/payload.ts';

describe('text in a column', () => {
  test('comes back as it was, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 0xffff }), (text, unit) => {
        const any = text + String.fromCharCode(unit) + text;
        expect(decodeText(encodeText(any))).toBe(any);
      }),
    );
  });

  test('is plain text unless UTF-8 cannot hold it', () => {
    expect(encodeText('grüß 𝄞')).toBe('grüß 𝄞');
    expect(encodeText('a\0b')).toBeInstanceOf(Uint8Array);
    expect(encodeText('\ud800')).toBeInstanceOf(Uint8Array);
  });

  test('a checksum tells parts apart', () => {
    expect(checksum('ab', 'c')).not.toBe(checksum('a', 'bc'));
    expect(checksum('a', null)).not.toBe(checksum('a', 'null'));
    expect(checksum('a')).toBe(checksum('a'));
  });
});
