/** Owns the closed sets of words that columns hold, so that a damaged one is noticed on read. */
import type { Arm, Phase } from '../../core/model/event.ts';
import type { FeedbackSource, Verdict } from '../../core/model/feedback.ts';
import type { FinishReason, Split, SuiteName } from '../../core/model/task.ts';
import type { RunStatus } from '../../core/model/views.ts';
import type { EffectKind } from '../../core/model/effect.ts';

/** All members of a union, checked both ways by the compiler. */
function all<Word extends string>() {
  return <const Words extends readonly Word[]>(
    words: Words & ([Word] extends [Words[number]] ? unknown : never),
  ): readonly Word[] => words;
}

export const ARMS = all<Arm>()(['main', 'control']);
export const PHASES = all<Phase>()(['acquire', 'refine', 'update', 'evaluate']);
export const SPLITS = all<Split>()(['train', 'dev', 'test', 'live']);
export const SUITES = all<SuiteName>()(['train', 'dev', 'test', 'live', 'regression', 'canary']);
export const VERDICTS = all<Verdict>()(['kept', 'dropped', 'corrected']);
export const GROUP_VERDICTS = all<Verdict | 'unrefined'>()(['unrefined', 'kept', 'dropped', 'corrected']);
export const FINISHES = all<FinishReason>()(['stop', 'length', 'refusal', 'error']);
export const SOURCES = all<FeedbackSource>()(['environment', 'metric', 'vote', 'judge', 'logprob', 'human']);
export const STATUSES = all<RunStatus>()(['running', 'paused', 'done', 'budget', 'stopped', 'failed']);
export const EFFECT_KINDS = all<EffectKind>()([
  'model',
  'training',
  'annotations',
  'batch',
  'reused',
  'session',
  'reservation',
]);

/** Of `run_summaries`: false for a run that was archived, is being taken out (removeRun.ts) or brought in (importRuns.ts); nothing shows those. */
export const IS_HERE = "status NOT IN ('leaving', 'archived', 'arriving')";
