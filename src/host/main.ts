/**
 * Owns how the host is put together when it is first needed: one engine link, what was read of it, and the trees,
 * documents, panels and commands over both. Deliberately holds no behaviour of its own.
 */
import * as vscode from 'vscode';
import { connectEngine } from '../client/connect.ts';
import type { EvaluationId, SolutionId } from '../core/model/ids.ts';
import { asId } from '../core/model/ids.ts';
import { candidateCommands } from './commands/candidateCommands.ts';
import { archiveRunCommand } from './commands/archiveCommand.ts';
import type { CommandHandler } from './commands/commandHandlers.ts';
import { dataCommands, tellWarnings } from './commands/dataCommands.ts';
import { createDamageOffer, damageInView, isDamage, type DamageOffer } from './damageOffer.ts';
import { experienceCommands, restoreReviewKeys } from './commands/experienceCommands.ts';
import { createExperienceFilter, type ExperienceFilterState } from './commands/filterCommands.ts';
import { providerCommands } from './commands/providerCommands.ts';
import { loopCommands } from './commands/loopCommands.ts';
import { importTasks } from './commands/importTasks.ts';
import { newLoop } from './commands/newLoop.ts';
import { runCommands } from './commands/runCommands.ts';
import { searchCommands } from './commands/searchCommands.ts';
import { createDocumentFiles, uriOf, type DocumentFiles } from './documents/documentFiles.ts';
import { createEditorModels } from './editorModels.ts';
import { createEngineLink, type EngineLink } from './engineLink.ts';
import { askToRebind, engineQuestions, type WindowServices } from './engineQuestions.ts';
import { followEngine } from './follow.ts';
import { firstFolder, logError, tell, type HostContext } from './hostContext.ts';
import { contextKeys, viewIds, type CommandId, type ViewId } from './ids.ts';
import { createKeyVault } from './keyVault.ts';
import { createLoopActions } from './loopActions.ts';
import { watchLoopFiles } from './loopFiles.ts';
import { createPanels, type Panels } from './panel/panels.ts';
import { createReadModels } from './readModels.ts';
import { createRunBoard } from './runBoard.ts';
import { showRuns } from './runIndicators.ts';
import type { Host, Shell } from './shell.ts';
import { followWindowWish, tellWindowWish } from './windowWish.ts';
import { annotatedRows } from './trees/annotatedRows.ts';
import { openingCommand } from './trees/openingCommand.ts';
import { treeSources } from './trees/treeSources.ts';
import { createTree, type Tree } from './trees/treeView.ts';

function createLink(
  { context }: Shell,
  folder: vscode.WorkspaceFolder | null,
  log: vscode.LogOutputChannel,
  services: WindowServices,
): EngineLink {
  const version = String((context.extension.packageJSON as { readonly version: unknown }).version);
  return createEngineLink({
    now: () => performance.now(),
    startRefusal: () =>
      vscode.workspace.isTrusted
        ? null
        : 'Nothing is started in a workspace you do not trust; trust it first.',
    log: (message, error) => (error === undefined ? log.info(message) : logError(log, error)),
    connect: async (start) => {
      if (folder === null) return null;
      const before = performance.now();
      const connection = await connectEngine({
        workspaceFolder: folder.uri.fsPath,
        engineScript: vscode.Uri.joinPath(context.extensionUri, 'dist', 'engine.mjs').fsPath,
        nodePath: process.execPath,
        client: 'editor',
        version,
        start,
        answers: engineQuestions(services),
      });
      if (connection !== null) await tellWindowWish(connection, log);
      if (connection !== null) {
        const took = Math.round(performance.now() - before);
        log.info(
          `Connected to engine ${connection.hello.version} (process ${connection.hello.pid}) in ${took} ms; its own log is .ratchet/engine.log.`,
        );
      }
      return connection;
    },
  });
}

/** True where this workspace has run something before: then its engine is worth starting to show it. */
async function hasDatabase(folder: vscode.WorkspaceFolder | null): Promise<boolean> {
  if (folder === null) return false;
  try {
    await vscode.workspace.fs.stat(vscode.Uri.joinPath(folder.uri, '.ratchet', 'workspace.ratchetdb'));
    return true;
  } catch {
    return false;
  }
}

function createContext(shell: Shell): HostContext {
  const folder = firstFolder();
  const log = vscode.window.createOutputChannel('Ratchet', { log: true });
  const { activate, load } = shell.timings;
  log.info(`Activated in ${activate.toFixed(1)} ms; the rest loaded in ${load.toFixed(1)} ms.`);
  const services: WindowServices = {
    keys: createKeyVault(shell.context.secrets, askToRebind),
    editorModels: createEditorModels(shell.context),
  };
  const link = createLink(shell, folder, log, services);
  const models = createReadModels(link, () => hasDatabase(folder));
  link.onState(({ kind }) => void vscode.commands.executeCommand('setContext', contextKeys.engine, kind));
  shell.context.subscriptions.push(log, new vscode.Disposable(() => link.close()));
  return { shell, folder, link, models, services, log };
}

interface Views {
  readonly trees: Readonly<Record<ViewId, Tree>>;
  readonly loadMore: CommandHandler;
  readonly loopFiles: ReturnType<typeof watchLoopFiles>;
  readonly filter: ExperienceFilterState;
}

function createViews(host: HostContext, damage: DamageOffer): Views {
  const pages = new Map<string, number>();
  const filter = createExperienceFilter(host.shell, () => {
    // Pages wanted of what was found before say nothing of what is found now.
    for (const group of pages.keys()) if (group.endsWith('/found')) pages.delete(group);
    trees['ratchet.experiences'].refresh(['']);
  });
  const loopFiles = watchLoopFiles(host, () => trees['ratchet.loops'].refresh(['']));
  const sources = treeSources({
    models: host.models,
    loopFiles: () => loopFiles.list(),
    pagesWanted: (groupId) => pages.get(groupId) ?? 1,
    filter: filter.search,
  });
  const treeOf = (id: ViewId) =>
    createTree({
      shell: host.shell.trees[id],
      source: sources[id],
      commandOf: (opening) => openingCommand(host, opening),
      onTrouble: (message, error) => {
        host.shell.trees[id].view.message = isDamage(error) ? damageInView : message;
        damage.offer(error);
      },
    });
  const trees = Object.fromEntries(viewIds.map((id) => [id, treeOf(id)])) as Readonly<Record<ViewId, Tree>>;
  return {
    trees,
    loopFiles,
    filter,
    loadMore: async ([groupId]) => {
      if (typeof groupId !== 'string') return;
      pages.set(groupId, (pages.get(groupId) ?? 1) + 1);
      trees['ratchet.experiences'].refresh([groupId]);
    },
  };
}

async function openEvaluation([id]: readonly unknown[]): Promise<void> {
  const ref = (id as { node?: { ref?: { kind: string; evaluationId?: EvaluationId } } } | undefined)?.node
    ?.ref;
  const evaluationId = typeof id === 'string' ? asId<EvaluationId>(id) : ref?.evaluationId;
  if (evaluationId === undefined) throw new Error('Select an evaluation in the Evaluations view.');
  const uri = uriOf({ kind: 'evaluation', evaluationId }, 'Evaluation');
  await vscode.commands.executeCommand('vscode.open', uri, { preview: true });
}

function follow(host: HostContext, views: Views, documents: DocumentFiles, refreshBoard: () => void): void {
  const end = followEngine({
    link: host.link,
    models: host.models,
    refreshRows: (view, ids) => {
      const isFiltered = view === 'ratchet.experiences' && views.filter.search() !== '';
      // What is filtered stands right under its run.
      views.trees[view].refresh(isFiltered ? ids.map((id) => id.split('/')[0] ?? id) : ids);
    },
    refreshAnnotated: (solutionId: SolutionId) => {
      const tree = views.trees['ratchet.experiences'];
      tree.refresh(annotatedRows(tree.known(), solutionId));
      documents.refresh((address) => address.kind === 'experience');
    },
    refreshCandidates: (runId) =>
      documents.refresh((address) => address.kind === 'candidate' && address.runId === runId),
    refreshBoard,
  });
  host.shell.context.subscriptions.push(new vscode.Disposable(end));
}

function createCommands(
  host: HostContext,
  views: Views,
  panels: Panels,
  parts: Pick<Parameters<typeof loopCommands>[0], 'actions' | 'board'>,
): Readonly<Record<CommandId, CommandHandler>> {
  return {
    ...loopCommands({ host, panels, loopFiles: views.loopFiles, ...parts }),
    ...runCommands({ host, panels, actions: parts.actions }),
    ...candidateCommands(host),
    ...experienceCommands(host),
    ...searchCommands({ host, filterBy: views.filter.filterBy }),
    ...views.filter.commands,
    ...dataCommands(host),
    'ratchet.archiveRun': (args) => archiveRunCommand(host, args),
    ...providerCommands({ host, services: host.services }),
    'ratchet.newLoop': () => newLoop(host, panels),
    'ratchet.importTasks': (args) => importTasks({ host, panels, loopFiles: views.loopFiles }, args),
    'ratchet.showLog': async () => host.log.show(),
    'ratchet.restartEngine': () => host.link.restart(),
    'ratchet.retry': () => host.link.retry(),
    'ratchet.loadMore': views.loadMore,
    'ratchet.openEvaluation': (args) => openEvaluation(args),
  };
}

export function startHost(shell: Shell): Host {
  const host = createContext(shell);
  const actions = createLoopActions(host);
  const panels = createPanels(host, actions);
  const board = createRunBoard(host.models);
  const damage = createDamageOffer(host);
  const views = createViews(host, damage);
  const documents = createDocumentFiles(host.models, shell.filesChanged);
  follow(host, views, documents, () => void board.refresh());
  const indicators = showRuns({
    board,
    inSight: (run) => panels.inSight(run),
    wasAsked: actions.wasAsked,
    openPanel: (run) => panels.showRun(run),
    resume: (run) => actions.resume(run.id).catch((error: unknown) => tell(host, error)),
  });
  shell.context.subscriptions.push(indicators, new vscode.Disposable(() => views.loopFiles.dispose()));
  shell.context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      for (const id of viewIds) views.trees[id].refresh(['']);
    }),
  );
  restoreReviewKeys(host);
  tellWarnings(host);
  shell.context.subscriptions.push(followWindowWish(host));
  const commands = createCommands(host, views, panels, { actions, board });
  return {
    trees: Object.fromEntries(viewIds.map((id) => [id, views.trees[id].provider])) as Host['trees'],
    files: documents.files,
    resolvePanel: async (document, panel) => panels.resolve(document, panel),
    async runCommand(id, args) {
      try {
        await commands[id](args);
      } catch (error) {
        if (isDamage(error)) await damage.tell(error);
        else await tell(host, error);
      }
    },
  };
}
