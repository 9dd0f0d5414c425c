// Owns the check of phrases and their edits.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stream } from '../../../../src/core/measure/random.ts';
import {
  editPhrases,
  joinPhrases,
  type PhraseEdit,
  splitPhrases,
} from '../../../../src/core/prompt/phrases.ts';

describe('splitPhrases', () => {
  test.each([
    ['think step by step\nbe careful', ['think step by step', 'be careful']],
    ['Think. Then answer!  Only the number?', ['Think.', 'Then answer!', 'Only the number?']],
    ['Use units, e.g. Metres. Be brief.', ['Use units, e.g. Metres.', 'Be brief.']],
    ['1. Read it.\r\n2. Solve it.', ['1. Read it.', '2. Solve it.']],
    ['Round to 2.5 places. Ok', ['Round to 2.5 places.', 'Ok']],
    ['한국어로 답하세요. {{input}}을 보세요.', ['한국어로 답하세요.', '{{input}}을 보세요.']],
    ['请思考。然后回答。', ['请思考。', '然后回答。']],
    ['', []],
    [' \n\n ', []],
  ])('%j', (instruction, phrases) => expect(splitPhrases(instruction)).toEqual(phrases));

  test('joined and split again gives the same phrases, and no text is lost', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (instruction) => {
        const phrases = splitPhrases(instruction);
        expect(splitPhrases(joinPhrases(phrases))).toEqual(phrases);
        expect(phrases.join('').replace(/\s/gu, '')).toBe(instruction.replace(/\s/gu, ''));
      }),
    );
  });
});

const edits: readonly PhraseEdit[] = ['delete', 'swap', 'add', 'substitute'];
const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 6 });

describe('editPhrases', () => {
  test('changes the list in the way it says, or says that nothing is possible', () => {
    fc.assert(
      fc.property(words, words, fc.nat(), (phrases, pool, seed) => {
        const fresh = [...new Set(pool)].filter((phrase) => !phrases.includes(phrase));
        for (const edit of edits) {
          const edited = editPhrases(phrases, edit, pool, stream(seed, edit));
          const possible = {
            delete: phrases.length > 1,
            swap: new Set(phrases).size > 1,
            add: fresh.length > 0,
            substitute: fresh.length > 0 && phrases.length > 0,
          }[edit];
          expect(edited !== null, `${edit} ${JSON.stringify([phrases, pool])}`).toBe(possible);
          if (edited === null) continue;
          // Deleting one of several equal phrases leaves a shorter list: still a different one.
          expect(edited.phrases).not.toEqual(phrases);
          expect(edited.note).not.toBe('');
          const change = { delete: -1, swap: 0, add: 1, substitute: 0 }[edit];
          expect(edited.phrases.length - phrases.length).toBe(change);
          if (edit === 'swap') expect([...edited.phrases].sort()).toEqual([...phrases].sort());
        }
      }),
    );
  });

  test('is a function of its stream', () => {
    const draw = (): unknown => editPhrases(['a', 'b', 'c'], 'add', ['d', 'e'], stream(1, 'x'));
    expect(draw()).toEqual(draw());
  });

  test('reaches every place and every choice', () => {
    const seen = new Set(
      Array.from({ length: 300 }, (_, seed) =>
        editPhrases(['a', 'b'], 'add', ['c', 'd', ' '], stream(seed))?.phrases.join(''),
      ),
    );
    expect([...seen].sort()).toEqual(['abc', 'abd', 'acb', 'adb', 'cab', 'dab']);
  });

  test('says what was done', () => {
    expect(editPhrases(['be brief', 'b'], 'delete', [], stream(2))?.note).toMatch(/^removed "(be brief|b)"$/);
    expect(editPhrases(['a', 'b'], 'swap', [], stream(2))?.note).toBe('swapped phrases 1 and 2');
    expect(editPhrases([], 'add', ['think'], stream(2))?.note).toBe('added "think"');
    expect(editPhrases(['a'], 'substitute', ['think'], stream(2))?.note).toBe('replaced "a" by "think"');
  });
});
