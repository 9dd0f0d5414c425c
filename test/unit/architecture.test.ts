/** The layout shows the architecture: this test reads every import and holds the table of ARCHITECTURE.md to it. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Folder -> folders its files may import from, beside their own. The first folder that holds a file counts. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  'src/core/model': [],
  'src/core/measure': ['src/core/model'],
  'src/core/prompt': ['src/core/model', 'src/core/measure'],
  'src/core/acquire': ['src/core/model', 'src/core/measure', 'src/core/prompt', 'src/core/ports.ts'],
  'src/core/refine': ['src/core/model', 'src/core/measure', 'src/core/prompt', 'src/core/ports.ts'],
  'src/core/update': ['src/core/model', 'src/core/measure', 'src/core/prompt', 'src/core/ports.ts'],
  'src/core/evaluate': ['src/core/model', 'src/core/measure', 'src/core/prompt', 'src/core/ports.ts'],
  'src/core/loop': ['src/core'],
  'src/core/ports.ts': ['src/core/model'],
  'src/adapters': ['src/core'],
  'src/protocol': ['src/core/model'],
  'src/client': ['src/protocol', 'src/core/model'],
  'src/engine': ['src/core', 'src/adapters', 'src/protocol', 'src/client'],
  'src/cli': ['src/core', 'src/adapters', 'src/protocol', 'src/client', 'src/engine'],
  'src/host': ['src/protocol', 'src/client', 'src/core/model'],
  webview: ['src/protocol', 'src/core/model'],
};

/** A phase knows the nouns another phase hands it, as types; it never calls another phase. */
const TYPE_ONLY: Readonly<Record<string, readonly string[]>> = {
  'src/core/update': ['src/core/acquire'],
  'src/core/acquire': [],
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.as.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(folder, name));
}

const files = [...sourceFiles('src'), ...sourceFiles('webview')];
const imports = files.flatMap((file): Import[] => {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(
    /^(?:import|export)(\s+type)?\b[^;'"]*?(?:from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
  );
  return [...found].map((match) => {
    const name = match[2] ?? match[3] ?? '';
    const target = name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : name;
    return { file, target, typeOnly: match[1] !== undefined };
  });
});

const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
const homeOf = (file: string) => Object.keys(MAY).find((folder) => within(file, folder));

describe('the layout', () => {
  it('gives every file a folder with a rule', () => {
    expect(files.filter((file) => homeOf(file) === undefined)).toEqual([]);
    expect(files.length).toBeGreaterThan(50);
  });

  it('lets imports point inward only', () => {
    const wrong = imports.filter(({ file, target, typeOnly }) => {
      const home = homeOf(file);
      if (home === undefined || !/^(src|webview)\//.test(target)) return false;
      const allowed = [home, ...(MAY[home] ?? []), ...(typeOnly ? (TYPE_ONLY[home] ?? []) : [])];
      return !allowed.some((folder) => within(target, folder));
    });
    expect(wrong).toEqual([]);
  });

  it('has one folder that imports vscode', () => {
    expect(imports.filter(({ file, target }) => target === 'vscode' && !within(file, 'src/host'))).toEqual(
      [],
    );
  });

  it('has a core without Node, a clock or chance', () => {
    const core = files.filter(
      (file) => within(file, 'src/core') || within(file, 'src/protocol') || within(file, 'webview'),
    );
    expect(imports.filter(({ file, target }) => core.includes(file) && target.startsWith('node:'))).toEqual(
      [],
    );
    const forbidden = /\bMath\.random\b|\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.\w/;
    const impure = files.filter((file) => within(file, 'src/core') && forbidden.test(stripComments(file)));
    expect(impure).toEqual([]);
  });

  it('never turns text into code or HTML', () => {
    const forbidden = /\beval\(|\bnew Function\(|\.innerHTML\b|unsafeHTML|outerHTML|insertAdjacentHTML/;
    expect(files.filter((file) => forbidden.test(stripComments(file)))).toEqual([]);
  });

  it('opens every file by saying what it owns, and stays under 450 lines', () => {
    const texts = files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
    expect(texts.filter(({ text }) => !/^(#!.*\n)?\s*\/\*\*/.test(text)).map(({ file }) => file)).toEqual([]);
    expect(texts.filter(({ text }) => text.split('\n').length > 451).map(({ file }) => file)).toEqual([]);
  });
});

function stripComments(file: string): string {
  return readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}
