/** Owns the small block beside the curve that says what the last round changed. */
import { html, nothing, type TemplateResult } from 'lit';
import type { RoundChanges } from '../../src/protocol/panel.ts';
import { count, counted, roundWord } from '../../src/protocol/wording.ts';
import { icon } from './icons.ts';
import { stretchesView } from './replyView.ts';

export function changesView(
  changes: RoundChanges | null,
  onOpen: (changes: RoundChanges) => void,
): TemplateResult | typeof nothing {
  if (changes === null) return nothing;
  const nothingChanged = changes.better === 0 && changes.worse === 0;
  return html`<section class="changes" aria-labelledby="changes-title">
    <h2 id="changes-title">What ${roundWord(changes.round).toLowerCase()} changed</h2>
    <p class="tally">
      ${
        nothingChanged
          ? 'No task changed.'
          : html`<span class="judged right">${icon('right')}${counted(changes.better, 'task')} fixed</span>
              <span class="judged wrong">${icon('wrong')}${count(changes.worse)} broken</span>`
      }
    </p>
    ${
      changes.examples.length === 0
        ? nothing
        : html`<ul class="examples">
            ${changes.examples.map(
              (example) => html`<li>
                <span class="judged ${example.became === 'better' ? 'right' : 'wrong'}"
                  >${icon(example.became === 'better' ? 'right' : 'wrong')}${
                    example.became === 'better' ? 'fixed' : 'broken'
                  }</span
                >
                <span class="input">${example.input}</span>
                <code class="reply was"><span class="unseen">before: </span>${example.before}</code>
                <code class="reply"><span class="unseen">now: </span>${stretchesView(example.before, example.after)}</code>
              </li>`,
            )}
          </ul>`
    }
    <button type="button" class="link" @click=${() => onOpen(changes)}>Open the evaluation</button>
  </section>`;
}
