/**
 * Owns the names the manifest and the code share: commands, views, the panel, the document scheme, context keys.
 * Deliberately imports nothing, so that the stub, the host and the manifest's test all read the same list.
 */

export const commandIds = [
  'ratchet.run',
  'ratchet.pause',
  'ratchet.pauseNow',
  'ratchet.resume',
  'ratchet.stop',
  'ratchet.openPanel',
  'ratchet.openText',
  'ratchet.newLoop',
  'ratchet.importTasks',
  'ratchet.showLog',
  'ratchet.restartEngine',
  'ratchet.retry',
  'ratchet.exportData',
  'ratchet.importData',
  'ratchet.restoreData',
  'ratchet.setKey',
  'ratchet.removeKey',
  'ratchet.testConnection',
  'ratchet.runActions',
  'ratchet.showRun',
  'ratchet.reopenPanel',
  'ratchet.loadMore',
  'ratchet.openEvaluation',
  'ratchet.searchExperiences',
  'ratchet.filterExperiences',
  'ratchet.clearFilter',
  'ratchet.archiveRun',
  'ratchet.branchRun',
  'ratchet.retryFailed',
  'ratchet.compareRuns',
  'ratchet.exportBundle',
  'ratchet.replayBundle',
  'ratchet.selectForCompare',
  'ratchet.compareWithSelected',
  'ratchet.compareWithPrevious',
  'ratchet.experience.accept',
  'ratchet.experience.reject',
  'ratchet.experience.score',
  'ratchet.experience.note',
  'ratchet.experience.next',
  'ratchet.experience.previous',
  'ratchet.reviewKeys.on',
  'ratchet.reviewKeys.off',
] as const;

export type CommandId = (typeof commandIds)[number];

export const viewIds = [
  'ratchet.loops',
  'ratchet.experiences',
  'ratchet.evaluations',
  'ratchet.candidates',
] as const;

export type ViewId = (typeof viewIds)[number];

/** The custom editor over a loop file. */
export const panelType = 'ratchet.loopPanel';

/** Read-only documents: experiences, evaluations, candidates. */
export const documentScheme = 'ratchet';

/** Keys the manifest's `when` clauses ask for. */
export const contextKeys = {
  /** 'idle', 'connecting', 'open' or 'failed'. */
  engine: 'ratchet.engine',
  /** 'none', 'running' or 'paused': the run the commands act on. */
  run: 'ratchet.run',
  /** Single keys in experience documents are on. */
  reviewKeys: 'ratchet.reviewKeys',
  /** A candidate was chosen for comparison. */
  candidateSelected: 'ratchet.candidateSelected',
  /** The Experiences view shows only what meets conditions. */
  experiencesFiltered: 'ratchet.experiencesFiltered',
  /** The workspace has a loop file; false until looked. */
  hasLoops: 'ratchet.hasLoops',
} as const;
