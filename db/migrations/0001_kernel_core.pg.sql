-- The gate: every governed statement carries a scalar subquery over it. Whoever changes what permissions depend on raises the epoch.
CREATE TABLE gate (id INTEGER PRIMARY KEY, epoch BIGINT NOT NULL);
INSERT INTO gate (id, epoch) VALUES (1, 1);

-- Next free row id of each dataset; taken in blocks inside the writing transaction.
CREATE TABLE row_id (dataset TEXT COLLATE "C" PRIMARY KEY, next BIGINT NOT NULL);

-- Facts about the store itself: made_up, school name …
CREATE TABLE store_fact (name TEXT COLLATE "C" PRIMARY KEY, value TEXT COLLATE "C" NOT NULL);

-- A batch of changes: the one way academic data is written (§4.1.2, §4.2.1). Provenance of every row points here.
CREATE TABLE batch (
  id BIGINT PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL,              -- import | made_up | entry
  title TEXT COLLATE "C" NOT NULL,
  source TEXT COLLATE "C" NOT NULL,            -- file name or origin
  source_digest TEXT COLLATE "C" NOT NULL,     -- hex SHA-256 of the source, empty when there is none
  entered_by BIGINT NOT NULL,      -- account, 0 = the operator on the command line
  entered_name TEXT COLLATE "C" NOT NULL,
  reviewed_by BIGINT NOT NULL,
  reviewed_name TEXT COLLATE "C" NOT NULL,
  opened_us BIGINT NOT NULL,
  applied_us BIGINT,
  row_count BIGINT NOT NULL DEFAULT 0
);

-- Rows of a batch as they came, verbatim, with what was understood and what was wrong.
CREATE TABLE batch_row (
  batch BIGINT NOT NULL REFERENCES batch(id),
  n BIGINT NOT NULL,
  content TEXT COLLATE "C" NOT NULL,
  problems TEXT COLLATE "C" NOT NULL,          -- JSON array, "[]" when none
  PRIMARY KEY (batch, n)
);

-- Grants and forbids made under the regulation (§2.4, §2.1.4): the run-time half of the permissions.
CREATE TABLE access_grant (
  id BIGINT PRIMARY KEY,
  number TEXT COLLATE "C" NOT NULL UNIQUE,     -- 2026-0017
  effect TEXT COLLATE "C" NOT NULL,            -- permit | forbid
  account BIGINT,                  -- holder: an account, or …
  post TEXT COLLATE "C",                       -- … everybody who holds this post …
  unit TEXT COLLATE "C" NOT NULL DEFAULT '',   -- … in this unit ('' = any)
  dataset TEXT COLLATE "C" NOT NULL,
  content TEXT COLLATE "C" NOT NULL,           -- JSON: rows, clear, masked, actions, purposes (the shape of a [[permit]])
  from_us BIGINT NOT NULL,
  until_us BIGINT NOT NULL,
  source TEXT COLLATE "C" NOT NULL,            -- clause or case
  revoked_us BIGINT,
  created_us BIGINT NOT NULL
);
