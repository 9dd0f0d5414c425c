/** Owns how one reply and its judgement look: what is new marked, right and wrong by sign and word. */
import { html, type TemplateResult } from 'lit';
import { percent } from '../../src/protocol/wording.ts';
import { replyStretches } from '../replyChange.ts';
import { icon } from './icons.ts';

export function judged(score: number): TemplateResult {
  if (score >= 1) return html`<span class="judged right">${icon('right')}right</span>`;
  if (score <= 0) return html`<span class="judged wrong">${icon('wrong')}wrong</span>`;
  return html`<span class="judged partly">${icon('partly')}${percent(score)}</span>`;
}

/** The text of a reply with what is new in it marked; null where there is no earlier reply to compare with. */
export function stretchesView(before: string | null, output: string): readonly (TemplateResult | string)[] {
  return replyStretches(before, output).map((stretch) =>
    stretch.isNew ? html`<mark>${stretch.text}</mark>` : stretch.text,
  );
}

export function reply(before: string | null, output: string): TemplateResult {
  if (output === '') return html`<span class="reply empty">(an empty reply)</span>`;
  return html`<code class="reply">${stretchesView(before, output)}</code>`;
}
