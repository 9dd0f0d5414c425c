import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { findProvider, type FoundProvider } from '../../../src/protocol/providers.ts';
import { rowContexts } from '../../../src/host/trees/treeNode.ts';
import { commandIds, contextKeys, documentScheme, panelType, viewIds } from '../../../src/host/ids.ts';

interface Entry {
  readonly command: string;
  readonly when?: string;
  readonly group?: string;
}
interface Manifest {
  readonly icon: string;
  readonly activationEvents: readonly string[];
  readonly capabilities: Readonly<Record<string, { readonly supported: string }>>;
  readonly contributes: {
    readonly commands: readonly {
      command: string;
      title: string;
      category: string;
      icon?: string;
      enablement?: string;
    }[];
    readonly menus: Readonly<Record<string, readonly Entry[]>>;
    readonly keybindings: readonly (Entry & { key: string })[];
    readonly views: Readonly<Record<string, readonly { id: string; icon: string }[]>>;
    readonly viewsContainers: { readonly activitybar: readonly { id: string; icon: string }[] };
    readonly viewsWelcome: readonly { view: string; contents: string; when: string }[];
    readonly customEditors: readonly {
      viewType: string;
      priority: string;
      selector: readonly { filenamePattern: string }[];
    }[];
  };
}

const root = path.resolve(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const { contributes } = manifest;
const entries = Object.entries(contributes.menus).flatMap(([menu, items]) =>
  items.map((item) => ({ menu, ...item })),
);
const clauses = [
  ...entries.map((entry) => entry.when),
  ...contributes.keybindings.map((binding) => binding.when),
  ...contributes.viewsWelcome.map((welcome) => welcome.when),
  ...contributes.commands.map((command) => command.enablement),
].filter((clause) => clause !== undefined);

const hostSources = readdirSync(path.join(root, 'src/host'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: read(path.join('src/host', file)) }));

describe('the manifest and the code', () => {
  test('every command is both contributed and registered', () => {
    expect(contributes.commands.map((command) => command.command).sort()).toEqual([...commandIds].sort());
    expect(new Set(contributes.commands.map((command) => command.category))).toEqual(new Set(['Ratchet']));
  });

  test('views, panel and document scheme are the ones the code registers', () => {
    expect(
      Object.values(contributes.views)
        .flat()
        .map((view) => view.id),
    ).toEqual([...viewIds]);
    expect(Object.keys(contributes.views)).toEqual(
      contributes.viewsContainers.activitybar.map((container) => container.id),
    );
    expect(contributes.customEditors.map((editor) => editor.viewType)).toEqual([panelType]);
    expect(contributes.customEditors[0]?.priority).toBe('option');
    expect(manifest.activationEvents).toEqual([`onFileSystem:${documentScheme}`]);
    expect(manifest.capabilities['untrustedWorkspaces']?.supported).toBe('limited');
    expect(manifest.capabilities['virtualWorkspaces']?.supported).toBe('limited');
  });

  test('menus and keys run only commands that exist', () => {
    for (const { command } of [...entries, ...contributes.keybindings]) expect(commandIds).toContain(command);
  });

  test('a command that needs a row, or is for code alone, is not in the palette without a condition', () => {
    const palette = new Map(contributes.menus['commandPalette']?.map((entry) => [entry.command, entry.when]));
    const open = commandIds.filter((id) => !palette.has(id));
    expect(open).toEqual(['ratchet.showLog', 'ratchet.setKey', 'ratchet.removeKey']);
    for (const id of [
      'ratchet.showRun',
      'ratchet.loadMore',
      'ratchet.reopenPanel',
      'ratchet.openEvaluation',
    ] as const) {
      expect(palette.get(id)).toBe('false');
    }
  });

  test('every condition names only views, rows, context keys and editors that exist', () => {
    const known = new Set<string>([
      ...Object.values(contextKeys),
      'view',
      'viewItem',
      'focusedView',
      'inputFocus',
      'editorTextFocus',
      'isInDiffEditor',
      'isWorkspaceTrusted',
      'workspaceFolderCount',
      'virtualWorkspace',
      'resourceFilename',
      'resourcePath',
      'resourceScheme',
      'activeCustomEditorId',
    ]);
    for (const clause of clauses) {
      const bare = clause.replace(/=~ \/(?:\\.|[^/\\])+\//g, '').replace(/[!=]= ('[^']*'|[\w.]+)/g, '');
      for (const name of bare.match(/[A-Za-z][\w.]*/g) ?? []) {
        if (name !== 'false') expect(known, clause).toContain(name);
      }
      for (const [, view] of clause.matchAll(/(?:view|focusedView) == ([\w.]+)/g))
        expect(viewIds, clause).toContain(view);
      for (const [, row] of clause.matchAll(/viewItem == ([\w.]+)/g))
        expect(rowContexts, clause).toContain(row);
      for (const [, pattern] of clause.matchAll(/viewItem =~ \/((?:\\.|[^/\\])+)\//g)) {
        const matches = rowContexts.filter((context) => new RegExp(pattern ?? '').test(context));
        expect(matches.length, clause).toBeGreaterThan(0);
      }
      for (const [, editor] of clause.matchAll(/activeCustomEditorId == '([^']+)'/g))
        expect(editor).toBe(panelType);
      for (const [, scheme] of clause.matchAll(/resourceScheme == (\w+)/g))
        expect(scheme).toBe(documentScheme);
    }
  });

  test('every context key the conditions ask for is set somewhere in the code', () => {
    const code = hostSources
      .filter(({ file }) => file !== 'ids.ts')
      .map(({ text }) => text)
      .join('\n');
    for (const name of Object.keys(contextKeys)) expect(code).toContain(`contextKeys.${name}`);
  });

  test('an empty view says something in every situation, with an action that exists', () => {
    for (const id of viewIds)
      expect(contributes.viewsWelcome.some((welcome) => welcome.view === id)).toBe(true);
    const builtIn = ['vscode.openFolder', 'workbench.trust.manage'];
    for (const { contents } of contributes.viewsWelcome) {
      for (const [, command] of contents.matchAll(/\(command:([\w.]+)\)/g)) {
        expect([...commandIds, ...builtIn]).toContain(command);
      }
    }
  });

  test('icons are codicons or files that are there', () => {
    const codicons = read('node_modules/@vscode/codicons/dist/codicon.css');
    const names = [
      ...contributes.commands.flatMap((command) => (command.icon === undefined ? [] : [command.icon])),
      ...Object.values(contributes.views)
        .flat()
        .map((view) => view.icon),
      ...contributes.viewsContainers.activitybar.map((container) => container.icon),
      manifest.icon,
    ];
    const inCode = hostSources
      .filter(({ file }) => file.startsWith('trees') || file === 'runIndicators.ts')
      .flatMap(({ text }) => [
        ...Array.from(text.matchAll(/icon: '([\w-]+)'/g), (match) => `$(${match[1] ?? ''})`),
        ...Array.from(text.matchAll(/\$\([\w-]+\)/g), (match) => match[0]),
      ]);
    expect(inCode.length).toBeGreaterThan(20);
    for (const name of [...names, ...inCode]) {
      const codicon = /^\$\(([\w-]+)\)$/.exec(name)?.[1];
      if (codicon === undefined) expect(existsSync(path.join(root, name)), name).toBe(true);
      else expect(codicons, name).toContain(`.codicon-${codicon}:before`);
    }
  });

  test('a title that opens a question ends in an ellipsis, and no key works outside its place', () => {
    for (const { title } of contributes.commands) expect(title).toMatch(/^[A-Z][^.]*(\.\.\.)?$/);
    for (const { when } of contributes.keybindings) expect(when).toContain(contextKeys.reviewKeys);
  });

  test('what decides who is asked, and with which key, a workspace cannot say', () => {
    const { properties } = (
      manifest.contributes as unknown as {
        readonly configuration: {
          readonly properties: Readonly<Record<string, { scope: string; additionalProperties?: object }>>;
        };
      }
    ).configuration;
    const { restrictedConfigurations } = manifest.capabilities['untrustedWorkspaces'] as unknown as {
      readonly restrictedConfigurations: readonly string[];
    };
    const providers = properties['ratchet.providers'];
    expect(providers?.scope).toBe('application');
    expect(restrictedConfigurations).toContain('ratchet.providers');
    const described = Object.keys(
      (providers?.additionalProperties as { readonly properties: object }).properties,
    );
    const full = Object.keys(
      (findProvider('openai', {}) as Extract<FoundProvider, { kind: 'found' }>).settings,
    );
    expect([...described, 'id'].sort()).toEqual(full.sort());
    expect(JSON.stringify(providers)).not.toMatch(/"api_?key"/iu);
  });
});
