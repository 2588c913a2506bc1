-- Procedures of the regulation as cases (§2.4, design §8): state, history, letters and deputies. "case" and "deputy" are datasets too
-- (catalog/case.toml, deputy.toml), so their columns are named as the catalogue names fields.
CREATE TABLE "case" (
  id BIGINT PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,     -- 2026-0017; the grant that an approval makes bears the same number
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  title TEXT NOT NULL,
  person_id BIGINT,                -- of the applicant
  account BIGINT NOT NULL,
  applicant TEXT NOT NULL,         -- login
  applicant_name TEXT NOT NULL,
  unit BIGINT,                     -- of the applicant
  sign_unit BIGINT,                -- whose head signs
  owner_unit BIGINT,               -- that owns the data
  waits_for TEXT NOT NULL,         -- code CASE_WAITS
  opened BIGINT NOT NULL,
  arrived BIGINT NOT NULL,         -- in this state since
  due BIGINT,
  due_provisional INTEGER NOT NULL DEFAULT 0,
  lateness TEXT NOT NULL DEFAULT 'in_time',  -- code CASE_LATENESS
  closed BIGINT,
  due_from_us BIGINT,              -- the clock of `due`: started then,
  due_days BIGINT NOT NULL DEFAULT 0,        -- so many working days,
  due_version BIGINT NOT NULL DEFAULT 0,     -- by this version of the calendar
  revision BIGINT NOT NULL,        -- one more with every step: two at once cannot both take one
  content TEXT NOT NULL            -- JSON, the kind's own
);
CREATE INDEX case_person ON "case" (person_id);
CREATE INDEX case_unit ON "case" (unit);
CREATE INDEX case_sign_unit ON "case" (sign_unit);
CREATE INDEX case_owner_unit ON "case" (owner_unit);
CREATE INDEX case_waiting ON "case" (waits_for, due) WHERE closed IS NULL;

-- What was done, for ever.
CREATE TABLE case_step (
  id BIGINT PRIMARY KEY,
  case_id BIGINT NOT NULL REFERENCES "case"(id),
  n BIGINT NOT NULL,
  action TEXT NOT NULL,
  from_state TEXT NOT NULL,        -- '' = opened
  to_state TEXT NOT NULL,
  account BIGINT NOT NULL,         -- 0 = the system's clock
  person BIGINT NOT NULL,
  name TEXT NOT NULL,
  post TEXT NOT NULL,              -- '' = as the applicant
  unit TEXT NOT NULL,
  for_person BIGINT NOT NULL,      -- the principal of a deputy, 0 = oneself
  for_name TEXT NOT NULL,
  at_us BIGINT NOT NULL,
  opinion TEXT NOT NULL,
  content TEXT NOT NULL,           -- JSON: what this step changed
  signature TEXT NOT NULL,         -- of the system over the step, '' = the person did not have to sign
  outbox BIGINT NOT NULL,          -- its leaf in the record
  UNIQUE (case_id, n)
);

-- Written replies: the paper stands in the register.
CREATE TABLE case_letter (
  paper TEXT PRIMARY KEY REFERENCES paper(number),
  case_id BIGINT NOT NULL REFERENCES "case"(id),
  step BIGINT NOT NULL,
  read_us BIGINT                   -- first fetched by the applicant
);
CREATE INDEX case_letter_case ON case_letter (case_id, step);

CREATE TABLE case_attachment (
  id BIGINT PRIMARY KEY,
  case_id BIGINT NOT NULL REFERENCES "case"(id),
  name TEXT NOT NULL,
  media TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  content BLOB NOT NULL,
  account BIGINT NOT NULL,
  added_us BIGINT NOT NULL
);
CREATE INDEX case_attachment_case ON case_attachment (case_id);

CREATE TABLE case_number (series TEXT PRIMARY KEY, next BIGINT NOT NULL);

-- 代理: who acts for whom in cases while one is away.
CREATE TABLE deputy (
  id BIGINT PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,
  person_id BIGINT NOT NULL,       -- of the deputy
  deputy TEXT NOT NULL,            -- login
  deputy_name TEXT NOT NULL,
  principal_person BIGINT NOT NULL,
  principal TEXT NOT NULL,
  principal_name TEXT NOT NULL,
  post TEXT NOT NULL,
  unit BIGINT,
  begins TEXT NOT NULL,
  ends TEXT NOT NULL,              -- the last day
  reason TEXT NOT NULL,
  made BIGINT NOT NULL,
  ended BIGINT                     -- earlier than planned
);
CREATE INDEX deputy_person ON deputy (person_id);
CREATE INDEX deputy_principal ON deputy (principal_person);

-- Grants become a dataset as well (§2.4.2: holder and office see all grants with their use).
ALTER TABLE access_grant RENAME COLUMN from_us TO valid_from;
ALTER TABLE access_grant RENAME COLUMN until_us TO valid_until;
ALTER TABLE access_grant RENAME COLUMN revoked_us TO revoked;
ALTER TABLE access_grant RENAME COLUMN created_us TO made;
ALTER TABLE access_grant ADD COLUMN person_id BIGINT;
ALTER TABLE access_grant ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE access_grant ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE access_grant ADD COLUMN holder_name TEXT NOT NULL DEFAULT '';
ALTER TABLE access_grant ADD COLUMN holder_unit BIGINT;
ALTER TABLE access_grant ADD COLUMN state TEXT NOT NULL DEFAULT 'valid';
ALTER TABLE access_grant ADD COLUMN uses BIGINT NOT NULL DEFAULT 0;
ALTER TABLE access_grant ADD COLUMN last_used BIGINT;
ALTER TABLE access_grant ADD COLUMN suspended BIGINT;
ALTER TABLE access_grant ADD COLUMN confirmed BIGINT;
ALTER TABLE access_grant ADD COLUMN end_reason TEXT;
CREATE INDEX access_grant_person ON access_grant (person_id);
CREATE INDEX access_grant_holder_unit ON access_grant (holder_unit);
