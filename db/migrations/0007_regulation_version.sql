-- The regulation in force (§2.1.1, design §1): default permissions, posts, settings, powers. Every change is a version; what it replaced
-- stays. The files of regulation/ are what a new store starts with. Both tables are datasets too (catalogue: regulation_version,
-- regulation_proposal): their columns are named as the catalogue names fields.
CREATE TABLE regulation_version (
  id BIGINT PRIMARY KEY,           -- the version
  version BIGINT NOT NULL UNIQUE,
  person_id BIGINT,                -- of the proposer
  kind TEXT NOT NULL,              -- start | files | change | rollback
  content TEXT NOT NULL,           -- JSON: settings, posts, powers, rules (kernel/policy/regulation.hpp)
  base BIGINT NOT NULL,            -- version that it was made from
  clause TEXT NOT NULL,
  note TEXT NOT NULL,
  proposed_by BIGINT NOT NULL,     -- account, 0 = the operator on the command line
  proposed_name TEXT NOT NULL,
  approved_by BIGINT NOT NULL,
  approved_name TEXT NOT NULL,
  proposed BIGINT NOT NULL,
  approved BIGINT NOT NULL,
  rolled_back_to BIGINT,           -- of a rollback: the version it brings back
  CHECK (proposed_by <> approved_by OR proposed_by = 0)
);

-- What somebody proposed, and what came of it.
CREATE TABLE regulation_proposal (
  id BIGINT PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,   -- the id
  kind TEXT NOT NULL,              -- change | rollback
  state TEXT NOT NULL,             -- proposed | approved | rejected | withdrawn
  base BIGINT NOT NULL REFERENCES regulation_version(version),
  content TEXT NOT NULL,           -- the whole regulation as it would be
  clause TEXT NOT NULL,
  note TEXT NOT NULL,
  rolled_back_to BIGINT REFERENCES regulation_version(version),
  proposed_by BIGINT NOT NULL,
  person_id BIGINT,                -- of the proposer
  proposer TEXT,                   -- login
  proposed_name TEXT NOT NULL,
  proposed BIGINT NOT NULL,
  decided_by BIGINT,
  decided_name TEXT,
  decided BIGINT,
  answer TEXT,                     -- why rejected
  version BIGINT REFERENCES regulation_version(version)  -- of an approved one
);
CREATE INDEX regulation_proposal_open ON regulation_proposal (id) WHERE state = 'proposed';
