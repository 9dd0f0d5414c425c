/** Owns what is said of how healthy a run's rounds are: the figures of the newest, and what any of them warns of. */
import { html, nothing, type TemplateResult } from 'lit';
import { icon } from './icons.ts';
import { healthLines } from '../../src/protocol/healthWords.ts';
import { roundWord } from '../../src/protocol/wording.ts';
import type { Alarm, RunModel } from '../runModel.ts';

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

/** One line, however many there are: the newest, and all of them with what they point at when it is opened. */
export function alarmsView(alarms: readonly Alarm[]): TemplateResult | typeof nothing {
  const newest = alarms.at(-1);
  if (newest === undefined) return nothing;
  const others = alarms.length - 1;
  return html`<details class="notice alarms">
    <summary>
      ${icon('warning')}<span>${roundWord(newest.round)}: ${newest.message}</span>
      <span class="more">${others === 0 ? 'Details' : `and ${others} before`}</span>
    </summary>
    <ul>
      ${alarms.map(
        ({ round, message, seenBefore }) => html`<li>
          <strong>${roundWord(round)}</strong>: ${message} <span class="source">Seen before as: ${seenBefore}.</span>
        </li>`,
      )}
    </ul>
  </details>`;
}
