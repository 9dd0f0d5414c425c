/**
 * Owns the third schema: where commits wait, durable as they arrived, until they are spread over the tables (pending.ts).
 * Deliberately without references: a commit was looked through before it was let in.
 */
export const SCHEMA_3 = `
-- body: UTF-8 JSON of the commits of one transaction, in order. checksum: CRC-32 of it.
-- stuck: why it could not be spread; null while that was not tried in vain.
CREATE TABLE pending (
  ref INTEGER PRIMARY KEY,
  body BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  stuck TEXT
) STRICT;
`;
