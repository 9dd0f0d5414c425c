// Owns writing docs/taxonomy.md from the built-in recipes.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './lib/places.ts';
import { taxonomyText } from './lib/taxonomy.ts';

mkdirSync(path.join(root, 'docs'), { recursive: true });
writeFileSync(path.join(root, 'docs', 'taxonomy.md'), taxonomyText());
