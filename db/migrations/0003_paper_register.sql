-- The register of papers (§2.4.2, §3.1.4, §3.3.1): all that was ever handed out, of every kind; anyone holding one may check it by its code.
-- A dataset too (catalog/paper.toml): its columns are named as the catalogue names fields.
CREATE TABLE paper (
  id BIGINT PRIMARY KEY,            -- year and serial
  number TEXT NOT NULL UNIQUE,      -- D2026-000017, 教查〔2026〕18号: one series
  code_digest TEXT NOT NULL UNIQUE, -- hex SHA-256 of the verification code; the code itself is not kept
  kind TEXT NOT NULL,               -- letter | export
  title TEXT NOT NULL,
  account BIGINT NOT NULL,          -- whose it is; the next three are the account's
  person_id BIGINT,
  holder TEXT,                      -- login
  holder_name TEXT,
  sha256 TEXT NOT NULL,             -- hex, of the bytes
  outbox BIGINT NOT NULL,           -- record of its making
  made BIGINT NOT NULL,
  expires BIGINT,                   -- NULL: never
  replaced_by TEXT REFERENCES paper(number),
  revoked BIGINT,
  revoked_by BIGINT,                -- account
  revoked_reason TEXT,
  content BLOB NOT NULL
);
CREATE INDEX paper_person ON paper (person_id);
CREATE TABLE paper_number (year BIGINT PRIMARY KEY, next BIGINT NOT NULL);
