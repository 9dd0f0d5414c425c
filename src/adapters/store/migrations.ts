/** Owns the ordered steps from one schema to the next. Deliberately never edits a step that was released: add one. */
import type { Connection } from './connection.ts';
import { moveLongTexts } from './longTexts.ts';
import { SCHEMA_1 } from './schema.ts';
import { SCHEMA_2 } from './schema2.ts';
import { SCHEMA_3 } from './schema3.ts';
import { SCHEMA_4 } from './schema4.ts';
import { SCHEMA_5 } from './schema5.ts';
import { fillLookups } from './solutionLookup.ts';

export interface Migration {
  /** `user_version` after this step; 1, 2, 3 and so on. */
  readonly version: number;
  readonly apply: (connection: Connection) => void;
}

export const MIGRATIONS: readonly Migration[] = [
  { version: 1, apply: (connection) => connection.script(SCHEMA_1) },
  {
    version: 2,
    apply: (connection) => {
      connection.script(SCHEMA_2);
      fillLookups(connection);
    },
  },
  { version: 3, apply: (connection) => connection.script(SCHEMA_3) },
  {
    version: 4,
    apply: (connection) => {
      connection.script(SCHEMA_4);
      moveLongTexts(connection);
    },
  },
  { version: 5, apply: (connection) => connection.script(SCHEMA_5) },
];

export function newestVersion(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.version ?? 0;
}

/** Applies what is newer than `from`, all in one transaction. Throws StoreError, leaving the file at `from`. */
export function migrate(connection: Connection, migrations: readonly Migration[], from: number): void {
  connection.script('BEGIN IMMEDIATE');
  try {
    for (const migration of migrations) {
      if (migration.version <= from) continue;
      migration.apply(connection);
      connection.script(`PRAGMA user_version = ${migration.version}`);
    }
    connection.script('COMMIT');
  } catch (error) {
    try {
      connection.script('ROLLBACK');
    } catch {
      // SQLite had already rolled back.
    }
    throw error;
  }
}
