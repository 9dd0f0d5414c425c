/**
 * Owns the show: what the model replies to the same tasks, round by round, with what is new in a reply marked and
 * right or wrong said by sign and word. Replies are text; nothing in them is ever markup.
 */
import { html, nothing, type TemplateResult } from 'lit';
import type { Arm, RunProgress, ShowcaseItem } from '../../src/core/model/event.ts';
import { percent, phaseWord, roundWord } from '../../src/protocol/wording.ts';
import type { Choices } from '../panelState.ts';
import type { ArmModel, RunModel } from '../runModel.ts';
import { icon } from './icons.ts';
import { judged, reply } from './replyView.ts';

export interface SolutionsProps {
  readonly model: RunModel;
  readonly progress: RunProgress | null;
  readonly choices: Choices;
  readonly onChoose: (choices: Partial<Choices>) => void;
}

/** The round whose replies are shown: the chosen one, else the newest that has any; null before the first. */
export function shownRound(arm: ArmModel, chosen: number | null): number | null {
  const rounds = [...arm.showcases.keys()].sort((left, right) => left - right);
  if (chosen === null) return rounds.at(-1) ?? null;
  return rounds.findLast((round) => round <= chosen) ?? rounds[0] ?? null;
}

function itemAt(arm: ArmModel, round: number, taskId: string): ShowcaseItem | null {
  return arm.showcases.get(round)?.find((item) => item.taskId === taskId) ?? null;
}

function earlierRound(arm: ArmModel, round: number): number | null {
  return (
    [...arm.showcases.keys()].sort((left, right) => left - right).findLast((other) => other < round) ?? null
  );
}

/** Rounds in a row with the same reply to a task. */
interface Stay {
  readonly from: number;
  readonly to: number;
  readonly item: ShowcaseItem;
  readonly before: string | null;
}

/** How the reply to one task changed, oldest first; rounds that changed nothing are one entry. */
export function staysOf(arm: ArmModel, taskId: string): readonly Stay[] {
  const stays: Stay[] = [];
  for (const round of [...arm.showcases.keys()].sort((left, right) => left - right)) {
    const item = itemAt(arm, round, taskId);
    if (item === null) continue;
    const last = stays.at(-1);
    if (last?.item.output === item.output) stays[stays.length - 1] = { ...last, to: round };
    else stays.push({ from: round, to: round, item, before: last?.item.output ?? null });
  }
  return stays;
}

function stayWord({ from, to }: Stay): string {
  if (from === to) return roundWord(from);
  return from === 0 ? `Start\u2013round ${to}` : `Round ${from}\u2013${to}`;
}

/** The replies to one task through the rounds: where one sees it learn. */
function history(arm: ArmModel, taskId: string, selected: number, input: string): TemplateResult {
  return html`<ol class="history" aria-label="Replies to ${input} by round">
    ${staysOf(arm, taskId).map(
      (stay) => html`<li class=${stay.from <= selected && selected <= stay.to ? 'selected' : ''}>
        <span class="when">${stayWord(stay)}</span>${judged(stay.item.score)}${reply(stay.before, stay.item.output)}
      </li>`,
    )}
  </ol>`;
}

function row(
  props: SolutionsProps,
  arm: ArmModel,
  item: ShowcaseItem,
  round: number,
  open: boolean,
): TemplateResult {
  const earlier = earlierRound(arm, round);
  const before = earlier === null ? null : (itemAt(arm, earlier, item.taskId)?.output ?? null);
  return html`<li class="solution ${open ? 'open' : ''}">
    <button
      type="button"
      class="task"
      aria-expanded=${open ? 'true' : 'false'}
      title=${item.input}
      @click=${() => props.onChoose({ taskId: open ? '' : item.taskId })}
    >
      ${icon('next')}<span class="input">${item.input}</span>
    </button>
    ${open ? history(arm, item.taskId, round, item.input) : html`${judged(item.score)}${reply(before, item.output)}`}
  </li>`;
}

function scrubber(props: SolutionsProps, arm: ArmModel, round: number): TemplateResult {
  const rounds = [...arm.showcases.keys()];
  const last = Math.max(...rounds);
  const point = arm.points.find((other) => other.round === round);
  const text = point === undefined ? roundWord(round) : `${roundWord(round)}, ${percent(point.mean)}`;
  return html`<div class="scrubber">
    <label for="round">Replies of</label>
    <input
      id="round"
      type="range"
      min="0"
      max=${last}
      step="1"
      .value=${String(round)}
      ?disabled=${last === 0}
      aria-valuetext=${text}
      @input=${(event: Event) => {
        const value = Number((event.target as HTMLInputElement).value);
        props.onChoose({ round: value >= last ? null : value });
      }}
    />
    <output for="round">${text}</output>
  </div>`;
}

function armChoice(props: SolutionsProps): TemplateResult | typeof nothing {
  if (props.model.control.showcases.size === 0) return nothing;
  const option = (arm: Arm, label: string) => html`<label>
    <input
      type="radio"
      name="arm"
      .checked=${props.choices.arm === arm}
      @change=${() => props.onChoose({ arm })}
    />${label}</label
  >`;
  return html`<fieldset class="arms">
    <legend class="unseen">Whose replies</legend>
    ${option('main', 'Loop')} ${option('control', 'Control')}
  </fieldset>`;
}

function arriving(progress: RunProgress | null): TemplateResult | typeof nothing {
  if (progress === null || progress.latest.length === 0) return nothing;
  return html`<div class="arriving">
    <h3>Arriving now <span class="note">${phaseWord(progress.phase)}, ${progress.operator}</span></h3>
    <ul>
      ${progress.latest
        .slice(0, 4)
        .map(
          (item) =>
            html`<li><span class="input">${item.input}</span><code class="reply">${item.output}</code></li>`,
        )}
    </ul>
  </div>`;
}

export function solutionsView(props: SolutionsProps): TemplateResult {
  const { model, choices } = props;
  const arm = choices.arm === 'control' && model.control.showcases.size > 0 ? model.control : model.main;
  const round = shownRound(arm, choices.round);
  const items = round === null ? [] : (arm.showcases.get(round) ?? []);
  const openTask = choices.taskId ?? items[0]?.taskId ?? '';
  return html`<section class="solutions" aria-labelledby="solutions-title">
    <div class="section-head">
      <h2 id="solutions-title">What it replies</h2>
      ${armChoice(props)} ${round === null ? nothing : scrubber(props, arm, round)}
    </div>
    ${
      round === null
        ? html`<p class="note">Replies to a few dev tasks appear here as soon as the start has been measured.</p>`
        : html`<ul class="list">
            ${items.map((item) => row(props, arm, item, round, item.taskId === openTask))}
          </ul>`
    }
    ${arriving(props.progress)}
  </section>`;
}
