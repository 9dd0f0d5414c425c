/** Owns the two small blocks beside the curve: what was spent of the budget, and what the last round changed. */
import { html, nothing, type TemplateResult } from 'lit';
import type { RecipeDescription, RecipeField } from '../../src/core/model/recipeView.ts';
import type { RoundChanges } from '../../src/protocol/panel.ts';
import { count, counted, duration, roundWord } from '../../src/protocol/wording.ts';
import type { ShownRun } from '../panelState.ts';
import { icon } from './icons.ts';
import { stretchesView } from './replyView.ts';

function limit(description: RecipeDescription | null, field: RecipeField): number | null {
  return description?.settings.find((setting) => setting.field === field)?.value ?? null;
}

function spent(
  label: string,
  used: number,
  cap: number | null,
  say: (value: number) => string,
): TemplateResult {
  return html`<div class="spent">
    <dt>${label}</dt>
    <dd>
      ${say(used)}${cap === null ? nothing : html` <span class="note">of ${say(cap)}</span>`}
      ${
        cap === null
          ? nothing
          : html`<meter
              min="0"
              max=${cap}
              high=${0.9 * cap}
              .value=${Math.min(used, cap)}
              aria-label="${label}: ${say(used)} of ${say(cap)}"
            ></meter>`
      }
    </dd>
  </div>`;
}

/** `now` is milliseconds since 1970. */
export function spendView(
  shown: ShownRun | null,
  description: RecipeDescription | null,
  now: number,
): TemplateResult | typeof nothing {
  const run = shown?.summary ?? null;
  if (run === null) return nothing;
  const minutes = limit(description, 'budget.minutes');
  return html`<section class="spend" aria-labelledby="spend-title">
    <h2 id="spend-title">Spent</h2>
    <dl>
      ${spent('Model calls', run.calls, limit(description, 'budget.calls'), count)}
      ${spent('Time', Math.max(0, (run.endedAt ?? now) - run.startedAt), minutes === null ? null : minutes * 60_000, duration)}
    </dl>
  </section>`;
}

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
