-- Exports and prints (§3.1.4, §3.3.1): what was made, by whom, for what; anyone holding one may check it by its code.
CREATE TABLE document (
  number TEXT COLLATE "C" PRIMARY KEY,         -- D2026-000017
  code_digest TEXT COLLATE "C" NOT NULL UNIQUE,-- hex SHA-256 of the verification code; the code itself is not kept
  account BIGINT NOT NULL,
  dataset TEXT COLLATE "C" NOT NULL,
  title TEXT COLLATE "C" NOT NULL,
  format TEXT COLLATE "C" NOT NULL,            -- csv
  purpose TEXT COLLATE "C" NOT NULL,
  query TEXT COLLATE "C" NOT NULL,             -- JSON as asked
  row_count BIGINT NOT NULL,
  sha256 TEXT COLLATE "C" NOT NULL,            -- hex, of the file
  content BYTEA NOT NULL,
  leaf TEXT COLLATE "C" NOT NULL,              -- record of the outcome
  created_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  revoked_us BIGINT
);
CREATE INDEX document_account ON document (account, created_us);
CREATE TABLE document_number (year BIGINT PRIMARY KEY, next BIGINT NOT NULL);
