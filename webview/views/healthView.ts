/** Owns the block that says how healthy the newest round was. Deliberately without colours of its own: alarms are warnings. */
import { html, nothing, type TemplateResult } from 'lit';
import { healthLines } from '../../src/protocol/healthWords.ts';
import { roundWord } from '../../src/protocol/wording.ts';
import type { RunModel } from '../runModel.ts';

export function healthView({ health }: RunModel): TemplateResult | typeof nothing {
  const lines = health === null ? [] : healthLines(health.figures);
  if (health === null || lines.length === 0) return nothing;
  return html`<section class="spend health" aria-labelledby="health-title">
    <h2 id="health-title">Health of ${roundWord(health.round).toLowerCase()}</h2>
    <dl>
      ${lines.map(
        ({ label, value, help }) => html`<div class="spent" title=${help}>
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div>`,
      )}
    </dl>
  </section>`;
}
