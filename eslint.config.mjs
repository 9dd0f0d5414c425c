// Owns the lint rules: type-aware correctness, the size limits, and the import fences of ARCHITECTURE.md.
import tseslint from 'typescript-eslint';

const fence = (files, patterns) => ({
  files,
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
});
const never = (message, ...group) => ({ group, message });

const noVscode = never('Only src/host imports vscode, even as a type.', 'vscode');
const noNode = never('This folder runs without Node: put Node code in src/adapters.', 'node:*');

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'out/**', '**/*.as.ts', 'media/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 450 }],
      'max-lines-per-function': ['error', { max: 80 }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'ExportAllDeclaration', message: 'No barrels.' },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['test/**/*.ts', 'vitest.config.ts'],
    rules: { 'max-lines-per-function': 'off', 'no-restricted-syntax': 'off', 'no-console': 'off' },
  },
  { files: ['scripts/**/*.ts'], rules: { 'no-console': 'off' } },
  { files: ['**/*.mjs'], languageOptions: { globals: {} }, rules: { 'max-lines': ['error', { max: 450 }] } },
  fence(
    ['src/core/**/*.ts'],
    [
      noVscode,
      noNode,
      never(
        'Core imports nothing outward.',
        '**/adapters/**',
        '**/engine/**',
        '**/host/**',
        '**/cli/**',
        '**/protocol/**',
      ),
    ],
  ),
  fence(
    ['src/adapters/**/*.ts'],
    [
      noVscode,
      never(
        'Adapters know the core and nothing above it.',
        '**/engine/**',
        '**/host/**',
        '**/cli/**',
        '**/protocol/**',
      ),
    ],
  ),
  fence(
    ['src/protocol/**/*.ts'],
    [
      noVscode,
      noNode,
      never('Messages know the nouns only.', '**/adapters/**', '**/engine/**', '**/host/**', '**/cli/**'),
    ],
  ),
  fence(
    ['src/engine/**/*.ts', 'src/cli/**/*.ts'],
    [noVscode, never('The engine has no editor.', '**/host/**')],
  ),
  fence(
    ['src/host/**/*.ts'],
    [
      never(
        'The editor layer talks to the engine process, it never is one.',
        '**/adapters/**',
        '**/engine/**',
        '**/cli/**',
      ),
    ],
  ),
  fence(
    ['webview/**/*.ts'],
    [
      noVscode,
      noNode,
      never('The webview knows messages only.', '**/adapters/**', '**/engine/**', '**/host/**', '**/cli/**'),
    ],
  ),
);
