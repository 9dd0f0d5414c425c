/**
 * Owns the fifth schema: what a task has beside its texts. Deliberately one column: nobody asks for a part of it alone.
 */
export const SCHEMA_5 = `
-- JSON of choices, tests and entryPoint, as far as the task has them; null where it has none.
ALTER TABLE tasks ADD COLUMN details TEXT;
`;
