/**
 * Owns what a run costs, in three places: the line under the heading (before a run what it would use, during one what it has
 * used), the meters against its caps, and what to do when a cap has stopped it. What is not known is said, never shown as 0.
 */
import { html, nothing, type TemplateResult } from 'lit';
import type { RunCaps, RunCost } from '../../src/core/model/cost.ts';
import { costWords, dollars } from '../../src/protocol/comparison.ts';
import { estimateParts, estimateSource } from '../../src/protocol/estimateWording.ts';
import type { PanelEstimate } from '../../src/protocol/panel.ts';
import { count, counted, duration } from '../../src/protocol/wording.ts';
import type { Panel, ShownRun } from '../panelState.ts';

function separated(parts: readonly string[]): readonly TemplateResult[] {
  return parts.map((part, index) => html`${index === 0 ? nothing : html`<span class="sep">·</span>`}${part}`);
}

function estimateText(estimate: PanelEstimate): TemplateResult {
  switch (estimate.kind) {
    case 'asking':
      return html`Estimating what a run would use.`;
    case 'failed':
      return html`A run cannot be estimated: ${estimate.message}`;
    case 'known':
      return html`<span title=${estimateSource(estimate.estimate)}
          ><span class="lead">A run would use about</span> ${separated(estimateParts(estimate.estimate))}</span
        >${estimate.estimate.cap === null ? nothing : html`<span class="sep">·</span><span class="cap">${estimate.estimate.cap}</span>`}`;
  }
}

/** Always one line, so that nothing jumps when a run begins or ends. */
export function costLine({ estimate, shown }: Panel): TemplateResult {
  const running = shown?.summary?.status === 'running';
  if (running && shown.cost !== null) {
    return html`<p class="cost-line"><span class="lead">Used so far:</span> ${costWords(shown.cost, shown.summary?.caps)}</p>`;
  }
  return html`<p class="cost-line">${running || estimate === null ? nothing : estimateText(estimate)}</p>`;
}

function meter(
  label: string,
  used: number | null,
  cap: number | undefined,
  say: (value: number) => string,
): TemplateResult {
  const words = used === null ? 'unknown' : say(used);
  return html`<div class="spent">
    <dt>${label}</dt>
    <dd>
      ${words}${cap === undefined ? nothing : html` <span class="note">of ${say(cap)}</span>`}
      ${
        cap === undefined || used === null
          ? nothing
          : html`<meter
              min="0"
              max=${cap}
              high=${0.9 * cap}
              .value=${Math.min(used, cap)}
              aria-label="${label}: ${words} of ${say(cap)}"
            ></meter>`
      }
    </dd>
  </div>`;
}

function notesOn(cost: RunCost | null, shown: ShownRun): readonly string[] {
  const { resumed } = shown.model;
  const worst = cost?.worstCaseCalls ?? 0;
  return [
    ...(resumed === null
      ? []
      : [`Resumed: ${count(resumed.recovered)} recovered, ${counted(resumed.repeated, 'call')} to repeat.`]),
    ...(worst === 0 ? [] : [`At most: ${counted(worst, 'call')} of unknown use counted at the worst case.`]),
    ...(cost === null || cost.reused === 0
      ? []
      : [`${counted(cost.reused, 'answer')} taken from the run it branched from.`]),
    ...(cost?.usd === null && cost.calls > 0
      ? ['The price of this model is not known; the setting ratchet.providers may give it.']
      : []),
  ];
}

/** `now` is milliseconds since 1970, for runs whose working time nobody has told. */
export function spendView(shown: ShownRun | null, now: number): TemplateResult | typeof nothing {
  const run = shown?.summary ?? null;
  if (shown === null || run === null) return nothing;
  const { cost } = shown;
  const caps: RunCaps = run.caps ?? {};
  const tokens = cost === null ? null : Math.round(cost.inputTokens + cost.outputTokens);
  const minutes = caps.minutes === undefined ? undefined : caps.minutes * 60_000;
  const notes = notesOn(cost, shown);
  return html`<section class="spend" aria-labelledby="spend-title">
    <h2 id="spend-title">Used</h2>
    <dl>
      ${meter('Model calls', cost?.calls ?? run.calls, caps.calls, count)}
      ${meter('Tokens', tokens, caps.tokens, count)} ${meter('Money', cost?.usd ?? null, caps.usd, dollars)}
      ${meter('Time', cost?.ms ?? Math.max(0, (run.endedAt ?? now) - run.startedAt), minutes, duration)}
    </dl>
    ${notes.map((note) => html`<p class="note">${note}</p>`)}
  </section>`;
}
