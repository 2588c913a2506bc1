-- Human beings. Rows of the datasets of persons (student, staff …) point here; an account belongs to at most one.
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, created_us BIGINT NOT NULL);

-- One's own account (§3.1.1). Never deleted: closed.
CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  login TEXT NOT NULL,                       -- NFKC; compared in lower case
  kind TEXT NOT NULL,                        -- student, graduate, or a kind of staff
  person_id BIGINT REFERENCES person(id),
  display_name TEXT NOT NULL,
  password_hash TEXT,                        -- PHC string; NULL = not activated
  password_set_us BIGINT,
  must_change INTEGER NOT NULL DEFAULT 0,    -- 1: the next sign-in has to bring a new password
  one_time INTEGER NOT NULL DEFAULT 0,       -- 1: the hash is that of a one-time password
  one_time_expires_us BIGINT,
  failed_count BIGINT NOT NULL DEFAULT 0,    -- since the last success, or since they were forgotten
  last_failed_us BIGINT,
  locked_until_us BIGINT,
  locked_attempts BIGINT NOT NULL DEFAULT 0, -- attempts during the lock in force
  suspended_us BIGINT,
  suspended_reason TEXT,
  closed_us BIGINT,
  created_us BIGINT NOT NULL,
  agreement_version BIGINT,                  -- confidentiality agreement signed (§4.3.3)
  agreement_us BIGINT
);
CREATE UNIQUE INDEX account_login ON account (lower(login));
CREATE INDEX account_kind ON account (kind);
CREATE INDEX account_person ON account (person_id);

-- Wrong sign-ins with a login that nobody has do the same writes here as they would on an account.
CREATE TABLE nobody (
  id INTEGER PRIMARY KEY,
  failed_count BIGINT NOT NULL DEFAULT 0,
  last_failed_us BIGINT,
  locked_until_us BIGINT,
  locked_attempts BIGINT NOT NULL DEFAULT 0
);
INSERT INTO nobody (id) VALUES (0);

-- Of the token only its SHA-256 is kept. Ended sessions stay as evidence for a while (§2.5.3, §6.1.3).
CREATE TABLE session (
  id INTEGER PRIMARY KEY,                    -- random
  token_digest BLOB NOT NULL UNIQUE,
  account BIGINT NOT NULL REFERENCES account(id),
  created_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL,
  idle_until_us BIGINT NOT NULL,
  ended_us BIGINT,
  ended_reason TEXT,
  remote TEXT NOT NULL,
  user_agent_digest BLOB NOT NULL
);
--postgres ALTER TABLE session SET (fillfactor = 80);  -- room for the new versions that idle times make
CREATE INDEX session_of_account ON session (account) WHERE ended_us IS NULL;
CREATE INDEX session_expiry ON session (expires_us);

-- Keys that all nodes of one store share (page tokens …).
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL);
