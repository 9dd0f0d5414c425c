/** Owns which read models each row's children come from. The rows themselves are made by the pure functions beside it. */
import type { RunId } from '../../core/model/ids.ts';
import type { ExperienceHit, ExperiencePage, ExperienceSearchPage } from '../../core/model/views.ts';
import type { ViewId } from '../ids.ts';
import type { ReadModels } from '../readModels.ts';
import { armNodes, candidateNodes, refusedNodes } from './candidatesTree.ts';
import { changedTaskNodes, changeNodes, controlEvaluationNodes, evaluationNodes } from './evaluationsTree.ts';
import {
  controlExperienceRoundNodes,
  experienceNodes,
  experienceRoundNodes,
  pageSize,
  verdictNodes,
} from './experiencesTree.ts';
import { foundGroup, foundNodes, type Found } from './foundTree.ts';
import { controlRoundNodes, phaseNodes, recipeNodes, roundNodes, runNodes, stepNodes } from './loopsTree.ts';
import { runNode } from './runRows.ts';
import { runNumbers, type TreeNode, type TreeSource } from './treeNode.ts';

export interface SourceOptions {
  readonly models: ReadModels;
  /** Loop files of the workspace, relative, with '/'. */
  readonly loopFiles: () => Promise<readonly string[]>;
  /** Pages of experiences a person asked to see in a group; 1 at first. */
  readonly pagesWanted: (groupId: string) => number;
  /** The search that rows of experiences must meet; '' for all. */
  readonly filter: () => string;
}

async function allRuns(models: ReadModels): Promise<readonly TreeNode[]> {
  const runs = await models.runs();
  const numbers = runNumbers(runs);
  return runs.map((run) => runNode(run, numbers.get(run.id) ?? 0, true));
}

function loopsSource({ models, loopFiles }: SourceOptions): TreeSource {
  return {
    async children(parent) {
      if (parent === null) {
        const files = await loopFiles();
        // A loop file can be opened and mended without an engine, so its failure must not hide the files.
        const runs = await models.runs().catch(() => []);
        return recipeNodes(files, runs);
      }
      const { ref } = parent;
      if (ref.kind === 'recipe') return runNodes(ref.path, await models.runs());
      if (ref.kind === 'run') {
        const detail = await models.run(ref.run.id);
        return detail === null ? [] : roundNodes(parent, detail);
      }
      if (ref.kind !== 'control' && ref.kind !== 'round' && ref.kind !== 'phase') return [];
      const detail = await models.run(ref.runId);
      if (detail === null) return [];
      if (ref.kind === 'control') return controlRoundNodes(parent, detail);
      if (ref.kind === 'round') return phaseNodes(parent, detail, ref.arm, ref.round);
      return stepNodes(parent, detail, ref);
    },
  };
}

async function pagesOf(parent: TreeNode, { models, pagesWanted }: SourceOptions): Promise<ExperiencePage[]> {
  const { ref } = parent;
  if (ref.kind !== 'verdict') return [];
  const filter = { runId: ref.runId, arm: ref.arm, round: ref.round, verdict: ref.verdict };
  const pages: ExperiencePage[] = [];
  let after: string | null = null;
  for (let wanted = pagesWanted(parent.id); wanted > 0; wanted -= 1) {
    const page: ExperiencePage = await models.experiencePage(filter, after, pageSize);
    pages.push(page);
    after = page.next;
    if (after === null) break;
  }
  return pages;
}

/** Questions for one page: the work of each is bounded, and so is what a person waits for. */
const asksAPage = 20;

async function foundIn(parent: TreeNode, runId: RunId, options: SourceOptions): Promise<Found> {
  const { models, pagesWanted, filter } = options;
  const items: ExperienceHit[] = [];
  const wanted = pageSize * pagesWanted(foundGroup(parent.id));
  const text = filter();
  let after: string | null = null;
  let problems: readonly string[] = [];
  for (let asks = 0; asks < asksAPage * (wanted / pageSize) && items.length < wanted; asks += 1) {
    // Whole pages, so that a further page asks only for what is new.
    const limit = pageSize - (items.length % pageSize);
    const page: ExperienceSearchPage = await models.searchPage(text, runId, after, limit);
    items.push(...page.items);
    ({ next: after, problems } = page);
    if (after === null) break;
  }
  return { items, hasMore: after !== null, problems };
}

function experiencesSource(options: SourceOptions): TreeSource {
  const { models } = options;
  return {
    async children(parent) {
      if (parent === null) return allRuns(models);
      const { ref } = parent;
      if (options.filter() !== '')
        return ref.kind === 'run'
          ? foundNodes(parent, ref.run.id, await foundIn(parent, ref.run.id, options))
          : [];
      switch (ref.kind) {
        case 'run':
          return experienceRoundNodes(parent, ref.run.id, await models.experienceCounts(ref.run.id));
        case 'control':
          return controlExperienceRoundNodes(parent, ref.runId, await models.experienceCounts(ref.runId));
        case 'round':
          return verdictNodes(parent, ref, await models.experienceCounts(ref.runId));
        case 'verdict':
          return experienceNodes(parent, ref.runId, await pagesOf(parent, options));
        default:
          return [];
      }
    },
  };
}

function evaluationsSource({ models }: SourceOptions): TreeSource {
  return {
    async children(parent) {
      if (parent === null) return allRuns(models);
      const { ref } = parent;
      if (ref.kind === 'run' || ref.kind === 'control') {
        const runId = ref.kind === 'run' ? ref.run.id : ref.runId;
        const [evaluations, candidates] = await Promise.all([
          models.evaluations(runId),
          models.candidates(runId),
        ]);
        return ref.kind === 'run'
          ? evaluationNodes(parent, runId, evaluations, candidates)
          : controlEvaluationNodes(parent, evaluations, candidates);
      }
      if (ref.kind !== 'evaluation' && ref.kind !== 'changes') return [];
      const detail = await models.evaluation(ref.evaluationId);
      if (detail === null) return [];
      return ref.kind === 'evaluation'
        ? changeNodes(parent, detail)
        : changedTaskNodes(parent, detail, ref.became);
    },
  };
}

function candidatesSource({ models }: SourceOptions): TreeSource {
  return {
    async children(parent) {
      if (parent === null) return allRuns(models);
      const { ref } = parent;
      if (ref.kind !== 'run' && ref.kind !== 'control' && ref.kind !== 'refused') return [];
      const runId = ref.kind === 'run' ? ref.run.id : ref.runId;
      const [candidates, evaluations] = await Promise.all([
        models.candidates(runId),
        models.evaluations(runId),
      ]);
      if (ref.kind === 'run') return candidateNodes(parent, runId, candidates, evaluations);
      return ref.kind === 'control'
        ? armNodes(parent, runId, 'control', candidates, evaluations)
        : refusedNodes(parent, runId, ref.arm, candidates, evaluations);
    },
  };
}

export function treeSources(options: SourceOptions): Readonly<Record<ViewId, TreeSource>> {
  return {
    'ratchet.loops': loopsSource(options),
    'ratchet.experiences': experiencesSource(options),
    'ratchet.evaluations': evaluationsSource(options),
    'ratchet.candidates': candidatesSource(options),
  };
}
