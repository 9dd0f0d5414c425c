/** Owns the panel's first line of sight: the score, how far it came, the control beside it and the sealed test. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Interval } from '../../src/core/model/candidate.ts';
import type { PanelCandidate } from '../../src/protocol/panel.ts';
import { counted, percent, points, range, roundWord } from '../../src/protocol/wording.ts';
import type { ShownRun } from '../panelState.ts';
import { newest, type RunModel } from '../runModel.ts';

function loopFigure(model: RunModel): TemplateResult {
  const now = newest(model.main);
  const start = model.main.points[0];
  if (now === null) {
    return html`<div class="figure first">
      <div class="value pending">&ndash;</div>
      <div class="label">Score on dev tasks</div>
      <div class="note">the start is being measured</div>
    </div>`;
  }
  return html`<div class="figure first">
    <div class="value">${percent(now.mean)}</div>
    <div class="label">
      Score on ${counted(now.tasks, 'dev task')}, ${now.round === 0 ? 'at the start' : `after round ${now.round}`}
    </div>
    <div class="note">
      ${
        start !== undefined && now.round !== start.round
          ? html`<strong>${points(now.mean - start.mean)}</strong> since the start<span class="sep">·</span>`
          : nothing
      }${range(now.interval)}
    </div>
  </div>`;
}

function controlFigure(model: RunModel): TemplateResult | typeof nothing {
  if (!model.hasControl) return nothing;
  const now = newest(model.control);
  return html`<div class="figure">
    <div class="value">${now === null ? html`<span class="pending">&ndash;</span>` : percent(now.mean)}</div>
    <div class="label">Control</div>
    <div class="note">${now === null ? 'not measured yet' : roundWord(now.round).toLowerCase()}</div>
  </div>`;
}

/** The bounds of a gain in percentage points, signed: "+90.0 to +94.4". */
function gainRange(interval: Interval): string {
  const bare = (value: number) => points(value).replace(/\s*points$/, '');
  return `${bare(interval.low)} to ${bare(interval.high)}`;
}

function testFigure(model: RunModel, ended: boolean): TemplateResult {
  const { test } = model;
  if (test === null) {
    return html`<div class="figure">
      <div class="value"><span class="pending">sealed</span></div>
      <div class="label">Test tasks</div>
      <div class="note">${ended ? 'not scored: the run ended early' : 'scored once, at the end'}</div>
    </div>`;
  }
  return html`<div class="figure test">
    <div class="value">${percent(test.final)}</div>
    <div class="label">Sealed test, ${counted(test.gain.tasks, 'task')}</div>
    <div class="note">
      <strong>${points(test.gain.gain)}</strong> (${gainRange(test.gain.interval)})
    </div>
  </div>`;
}

/** What the loop goes on with; its instruction only where it has one. */
function inUseView(candidate: PanelCandidate, onOpen: () => void): TemplateResult {
  return html`<div class="in-use">
    <span class="label">In use:</span>
    <button type="button" class="link" @click=${onOpen}>v${candidate.version}</button
    ><span class="label">${candidate.note === '' ? '' : `, ${candidate.note}`}</span>
    ${
      candidate.instruction === ''
        ? nothing
        : html`<code class="instruction"><span class="unseen">Instruction: </span>${candidate.instruction}</code>`
    }
  </div>`;
}

export function scoreView(shown: ShownRun, onCandidate: (candidate: PanelCandidate) => void): TemplateResult {
  const { inUse } = shown;
  const ended = shown.summary !== null && shown.summary.endedAt !== null;
  return html`<section class="score" aria-label="Score">
    ${loopFigure(shown.model)} ${controlFigure(shown.model)} ${testFigure(shown.model, ended)}
    ${inUse === null ? nothing : inUseView(inUse, () => onCandidate(inUse))}
  </section>`;
}
