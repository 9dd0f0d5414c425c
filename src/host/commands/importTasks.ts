/**
 * Owns bringing a data file into a loop: which file, how its fields are read (shown beside, changed here), which loop.
 * Deliberately reads no data itself: the engine looks the file through and writes the recipe's text.
 */
import * as vscode from 'vscode';
import {
  dataShapes,
  mappedParts,
  type DataInspection,
  type FieldMap,
  type FileOptions,
  type MappedPart,
} from '../../core/model/dataset.ts';
import type { Metric } from '../../core/model/metric.ts';
import { editData, newLoopOnData, type DataBlockMessage } from '../../protocol/data.ts';
import { offeredMetrics } from '../../protocol/offeredMetrics.ts';
import { counted, percent } from '../../protocol/wording.ts';
import { partWords, pathsText } from '../documents/dataDocument.ts';
import { uriOf } from '../documents/documentFiles.ts';
import { recipeUri, relativePath, type HostContext } from '../hostContext.ts';
import type { LoopFiles } from '../loopFiles.ts';
import type { Panels } from '../panel/panels.ts';

export interface ImportContext {
  readonly host: HostContext;
  readonly panels: Panels;
  readonly loopFiles: LoopFiles;
}

interface Choice<Kind> extends vscode.QuickPickItem {
  readonly kind_: Kind;
}

/** What is known of the file while a person decides. */
interface Draft {
  readonly uri: vscode.Uri;
  /** Relative to the workspace. */
  readonly file: string;
  readonly options: FileOptions;
  readonly found: DataInspection;
}

const extensions = ['jsonl', 'ndjson', 'json', 'csv', 'tsv', 'yaml', 'yml'];

function isDataFile({ scheme, path }: vscode.Uri): boolean {
  return (
    scheme === 'file' && extensions.some((name) => path.endsWith(`.${name}`)) && !/\.loop\.ya?ml$/.test(path)
  );
}

async function fileFor({ host }: ImportContext, [target]: readonly unknown[]): Promise<vscode.Uri | null> {
  if (target instanceof vscode.Uri) return target;
  const front = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (front instanceof vscode.TabInputText && isDataFile(front.uri)) return front.uri;
  const [picked] =
    (await vscode.window.showOpenDialog({
      title: 'Import Data',
      openLabel: 'Look Through',
      filters: { 'Data files': extensions },
      ...(host.folder === null ? {} : { defaultUri: host.folder.uri }),
    })) ?? [];
  return picked ?? null;
}

/** The file's path in the workspace; a file from elsewhere is copied in when a person says so. */
async function inWorkspace(host: HostContext, uri: vscode.Uri): Promise<vscode.Uri | null> {
  const { folder } = host;
  if (folder === null) throw new Error('Open a folder first: a loop and its data lie in it.');
  if (relativePath(host, uri) !== null) return uri;
  const name = uri.path.split('/').at(-1) ?? 'data';
  const target = vscode.Uri.joinPath(folder.uri, name);
  const answer = await vscode.window.showWarningMessage(
    `Copy ${name} into ${folder.name}?`,
    {
      modal: true,
      detail: 'A loop uses data of its own workspace only. The copy is named in the loop file.',
    },
    'Copy',
  );
  if (answer === undefined) return null;
  await vscode.workspace.fs.copy(uri, target, { overwrite: false });
  return target;
}

async function lookThrough(host: HostContext, uri: vscode.Uri, options: FileOptions): Promise<Draft> {
  const file = relativePath(host, uri);
  if (file === null) throw new Error('The data file lies outside of the workspace.');
  const { mtime } = await vscode.workspace.fs.stat(uri);
  const found = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: `Looking through ${file}...` },
    () => host.models.inspection(file, options, mtime),
  );
  const address = { kind: 'data', file, options, stamp: mtime } as const;
  const title = `Data ${file.split('/').at(-1) ?? ''}`;
  await vscode.commands.executeCommand('vscode.open', uriOf(address, title), {
    preview: true,
    preserveFocus: true,
  });
  return { uri, file, options, found };
}

type Step = 'use' | 'map' | 'shape';

async function nextStep({ file, found }: Draft): Promise<Step | null> {
  const { used, tasks, rejected } = found;
  const mapping = mappedParts
    .filter((part) => used.map[part] !== undefined)
    .map((part) => `${partWords[part]}: ${pathsText(used.map[part])}`)
    .join(', ');
  const choices: Choice<Step>[] = [
    ...(tasks === 0
      ? []
      : [
          {
            kind_: 'use' as const,
            label: '$(check) Use in a Loop...',
            detail: `${counted(tasks, 'task')}; ${counted(rejected, 'row')} left out`,
          },
        ]),
    {
      kind_: 'map',
      label: '$(arrow-swap) Change the Mapping...',
      detail: mapping === '' ? 'No field is mapped yet' : mapping,
    },
    {
      kind_: 'shape',
      label: '$(symbol-structure) Read as Another Shape...',
      detail: `Now: ${used.shape}, fits ${percent(used.confidence)} of the first rows`,
    },
  ];
  const choice = await vscode.window.showQuickPick(choices, {
    title: `${file}: ${counted(tasks, 'task')}, read as ${used.shape}`,
    placeHolder: 'The document beside shows the first tasks and what is left out',
    ignoreFocusOut: true,
  });
  return choice?.kind_ ?? null;
}

/** One part of a task after the other would be a questionnaire: one pick of the part, one of its field. */
async function changedMap({ found }: Draft): Promise<FieldMap | null> {
  const { used, fields } = found;
  const parts = mappedParts.map(
    (part): Choice<MappedPart> => ({
      kind_: part,
      label: partWords[part],
      description: pathsText(used.map[part]),
    }),
  );
  const part = await vscode.window.showQuickPick(parts, {
    title: 'Which part of a task?',
    ignoreFocusOut: true,
  });
  if (part === undefined) return null;
  const now = used.map[part.kind_];
  const chosen = new Set(typeof now === 'string' ? [now] : now);
  const picked = await vscode.window.showQuickPick(
    fields.map(({ path, example }) => ({ label: path, description: example, picked: chosen.has(path) })),
    {
      title: `${partWords[part.kind_]}: which fields? None leaves it out.`,
      canPickMany: true,
      ignoreFocusOut: true,
      matchOnDescription: true,
    },
  );
  if (picked === undefined) return null;
  const rest = Object.fromEntries(Object.entries(used.map).filter(([name]) => name !== part.kind_));
  const labels = picked.map(({ label }) => label);
  if (labels.length === 0) return rest;
  return { ...rest, [part.kind_]: labels.length === 1 ? labels[0] : labels };
}

async function changedShape({ found }: Draft): Promise<FileOptions['shape'] | null> {
  const fits = new Map(
    [found.used, ...found.others].map(({ shape, confidence, evidence }) => [shape, { confidence, evidence }]),
  );
  const choice = await vscode.window.showQuickPick(
    dataShapes.map((shape) => {
      const known = fits.get(shape);
      return {
        label: shape,
        description: known === undefined ? 'its fields are not there' : `fits ${percent(known.confidence)}`,
        ...(known === undefined ? {} : { detail: known.evidence }),
      };
    }),
    { title: 'Read the rows as', ignoreFocusOut: true, matchOnDetail: true },
  );
  return dataShapes.find((shape) => shape === choice?.label) ?? null;
}

type Split = DataBlockMessage['split'];

async function pickSplit({ found }: Draft): Promise<{ readonly split: Split } | null> {
  const ownSplits = found.used.map.split !== undefined || found.preview.some(({ split }) => split !== null);
  const choices: Choice<Split>[] = [
    ...(ownSplits
      ? [
          {
            kind_: undefined,
            label: 'As the File Says',
            detail: 'Rows without a split: 60 % train, 20 % dev, 20 % sealed test',
          },
        ]
      : []),
    {
      kind_: { train: 0.6, dev: 0.2, test: 0.2, seed: 0 },
      label: '60 % train, 20 % dev, 20 % test',
      detail: 'The test is sealed and scored once, at the end',
    },
    {
      kind_: { train: 0.8, dev: 0.1, test: 0.1, seed: 0 },
      label: '80 % train, 10 % dev, 10 % test',
      detail: 'For large files',
    },
    {
      kind_: { train: 0.5, dev: 0.25, test: 0.25, seed: 0 },
      label: '50 % train, 25 % dev, 25 % test',
      detail: 'For small files: what is measured is surer',
    },
  ];
  const choice = await vscode.window.showQuickPick(choices, {
    title: 'How is the data split?',
    ignoreFocusOut: true,
  });
  return choice === undefined ? null : { split: choice.kind_ };
}

async function useInLoop(context: ImportContext, draft: Draft): Promise<void> {
  const { host, loopFiles } = context;
  const paths = await loopFiles.list();
  const choices: Choice<string | null>[] = [
    { kind_: null, label: '$(add) New Loop...', detail: 'A search for a better instruction on this data' },
    ...paths.map((path) => ({
      kind_: path,
      label: path,
      detail: 'Its data is replaced; every other line stays',
    })),
  ];
  const loop = await vscode.window.showQuickPick(choices, {
    title: 'Which loop uses this data?',
    ignoreFocusOut: true,
  });
  if (loop === undefined) return;
  const split = await pickSplit(draft);
  if (split === null) return;
  const { used } = draft.found;
  const block = (recipePath: string): DataBlockMessage => ({
    file: fromFolderOf(recipePath, draft.file),
    ...(draft.options.format === undefined ? {} : { format: draft.options.format }),
    shape: used.shape,
    map: used.map,
    ...(split.split === undefined ? {} : { split: split.split }),
  });
  if (loop.kind_ === null) await makeLoop(context, draft, block);
  else await changeLoop(host, loop.kind_, block(loop.kind_));
}

/** `file` as it is named from the recipe's folder; both are relative to the workspace. */
export function fromFolderOf(recipePath: string, file: string): string {
  const from = recipePath.split('/').slice(0, -1);
  const to = file.split('/');
  while (from.length > 0 && to.length > 1 && from[0] === to[0]) {
    from.shift();
    to.shift();
  }
  return [...from.map(() => '..'), ...to].join('/');
}

async function changeLoop(host: HostContext, path: string, data: DataBlockMessage): Promise<void> {
  const uri = recipeUri(host, path);
  if (uri === null) return;
  const document = await vscode.workspace.openTextDocument(uri);
  const edit = await host.link.request(editData, { text: document.getText(), data });
  if (edit === null) throw new Error(`${path} is not a recipe that can be changed; mend it first.`);
  const change = new vscode.WorkspaceEdit();
  const range = new vscode.Range(document.positionAt(edit.start), document.positionAt(edit.end));
  change.replace(uri, range, edit.text);
  if (!(await vscode.workspace.applyEdit(change))) throw new Error(`${path} could not be changed.`);
  const editor = await vscode.window.showTextDocument(document, { preview: false });
  const place = document.positionAt(edit.start);
  editor.selection = new vscode.Selection(place, place);
  editor.revealRange(new vscode.Range(place, place), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

/** The likeliest first; embeddings are some model's, which a person names. */
async function pickMetric(
  found: DataInspection,
): Promise<{ readonly metric: Metric; readonly embedder?: string } | null> {
  const choice = await vscode.window.showQuickPick(
    offeredMetrics(found).map(
      ({ metric, reason }): Choice<Metric> => ({ kind_: metric, label: metric, detail: reason }),
    ),
    {
      title: 'How are answers graded?',
      placeHolder: 'The likeliest for this data first',
      ignoreFocusOut: true,
    },
  );
  if (choice === undefined) return null;
  if (choice.kind_ !== 'embedding') return { metric: choice.kind_ };
  const embedder = await vscode.window.showInputBox({
    title: 'Whose embeddings?',
    prompt: 'A provider of your settings with a model that makes embeddings, such as provider/model.',
    ignoreFocusOut: true,
    validateInput: (value) => (value.trim() === '' ? 'Name a provider and model.' : undefined),
  });
  return embedder === undefined ? null : { metric: 'embedding', embedder: embedder.trim() };
}

async function makeLoop(
  { host, panels }: ImportContext,
  { file, found }: Draft,
  block: (recipePath: string) => DataBlockMessage,
): Promise<void> {
  const stem = (file.split('/').at(-1) ?? 'data').replace(/\.[^.]*$/, '');
  const taken = new Set(
    (await vscode.workspace.findFiles('*.loop.yaml')).map((uri) => uri.path.split('/').at(-1)),
  );
  const name = await vscode.window.showInputBox({
    title: 'Name of the new loop',
    value: `${stem.replace(/[^\p{Letter}\p{Number}_.-]+/gu, '-')}-search`,
    ignoreFocusOut: true,
    validateInput: (value) =>
      !/^[\p{Letter}\p{Number}_][\p{Letter}\p{Number}_.-]{0,80}$/u.test(value)
        ? 'Use letters, digits, hyphens and points, beginning with a letter or digit.'
        : taken.has(`${value}.loop.yaml`)
          ? 'There is a loop of this name already.'
          : undefined,
  });
  if (name === undefined) return;
  const model = await vscode.window.showInputBox({
    title: 'Which model?',
    prompt: 'A provider of your settings, or provider/model; pocket is offline and only adds numbers.',
    value: 'pocket',
    ignoreFocusOut: true,
    validateInput: (value) => (value.trim() === '' ? 'Name a provider.' : undefined),
  });
  if (model === undefined) return;
  const recipePath = `${name}.loop.yaml`;
  const uri = recipeUri(host, recipePath);
  if (uri === null) return;
  const graded = await pickMetric(found);
  if (graded === null) return;
  const text = await host.link.request(newLoopOnData, {
    name,
    model: model.trim(),
    ...graded,
    data: block(recipePath),
  });
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  await panels.open(uri);
}

export async function importTasks(context: ImportContext, args: readonly unknown[]): Promise<void> {
  const { host } = context;
  const picked = await fileFor(context, args);
  const uri = picked === null ? null : await inWorkspace(host, picked);
  if (uri === null) return;
  let draft = await lookThrough(host, uri, {});
  for (;;) {
    switch (await nextStep(draft)) {
      case null:
        return;
      case 'use':
        await useInLoop(context, draft);
        return;
      case 'map': {
        const map = await changedMap(draft);
        if (map !== null)
          draft = await lookThrough(host, uri, { ...draft.options, shape: draft.found.used.shape, map });
        break;
      }
      case 'shape': {
        const shape = await changedShape(draft);
        if (shape !== null && shape !== undefined) draft = await lookThrough(host, uri, { shape });
        break;
      }
    }
  }
}
