-- Whether an account is used by more than one person (§2.5.3, §6.1.3; modules/lending).
CREATE TABLE lending_state (
  id INTEGER PRIMARY KEY,
  next_leaf BIGINT NOT NULL,       -- of the record: older ones are counted
  looked_us BIGINT NOT NULL,       -- accounts active since are looked at next
  network TEXT NOT NULL,           -- digest of the zones that are on record
  next_id BIGINT NOT NULL          -- of findings and steps
);
INSERT INTO lending_state (id, next_leaf, looked_us, network, next_id) VALUES (1, 0, 0, '', 1);

-- Where a session asked from, one row for each time without a long pause or a change of place.
CREATE TABLE lending_place (
  session BIGINT NOT NULL,
  from_us BIGINT NOT NULL,
  zone TEXT NOT NULL,
  until_us BIGINT NOT NULL,
  account BIGINT NOT NULL,
  PRIMARY KEY (session, from_us, zone)
);
CREATE INDEX lending_place_of_account ON lending_place (account, until_us);
CREATE INDEX lending_place_until ON lending_place (until_us);

-- Leaves of sign-ins, and queries by the hour, from the record.
CREATE TABLE lending_sign_in (
  session BIGINT PRIMARY KEY,
  account BIGINT NOT NULL,
  time_us BIGINT NOT NULL,
  leaf BIGINT NOT NULL
);
CREATE INDEX lending_sign_in_of_account ON lending_sign_in (account, time_us);
CREATE INDEX lending_sign_in_time ON lending_sign_in (time_us);

CREATE TABLE lending_use (
  account BIGINT NOT NULL,
  hour_us BIGINT NOT NULL,
  session BIGINT NOT NULL,
  dataset TEXT NOT NULL,
  queries BIGINT NOT NULL,
  first_leaf BIGINT NOT NULL,
  last_leaf BIGINT NOT NULL,
  PRIMARY KEY (account, hour_us, session, dataset)
);
CREATE INDEX lending_use_hour ON lending_use (hour_us);

-- How busy a kind of account is on a day: when grades come out everybody reads more.
CREATE TABLE lending_day (
  day BIGINT NOT NULL,
  kind TEXT NOT NULL,
  queries BIGINT NOT NULL,
  PRIMARY KEY (day, kind)
);

-- What a rule saw about an account. At most one of a rule is open. This table and the two below are datasets too (modules/lending/catalog), so
-- their columns are named as the catalogue names fields; person_id, holder… are those of the account.
CREATE TABLE lending_finding (
  id BIGINT PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,   -- the id
  account BIGINT NOT NULL REFERENCES account(id),
  person_id BIGINT,
  holder TEXT NOT NULL,            -- login
  holder_name TEXT NOT NULL,
  holder_kind TEXT NOT NULL,
  rule TEXT NOT NULL,              -- code LENDING_RULE
  score BIGINT NOT NULL,
  seen_zh TEXT NOT NULL,
  seen_en TEXT NOT NULL,
  begins BIGINT NOT NULL,
  ends BIGINT NOT NULL,
  sessions TEXT NOT NULL,          -- JSON array of ids
  leaves TEXT NOT NULL,            -- JSON array of seq in the record
  first_found BIGINT NOT NULL,
  found BIGINT NOT NULL,           -- last time it said something new
  answered BIGINT,                 -- the holder showed who it is
  state TEXT NOT NULL,             -- code LENDING_STATE
  closed BIGINT,
  closed_by BIGINT,
  closed_name TEXT,
  closed_reason TEXT
);
CREATE UNIQUE INDEX lending_finding_open ON lending_finding (account, rule) WHERE state = 'open';
CREATE INDEX lending_finding_of_account ON lending_finding (account, found);
CREATE INDEX lending_finding_found ON lending_finding (state, found);

-- The sign-ins that a finding rests on, as they were when it was found.
CREATE TABLE lending_evidence (
  id BIGINT PRIMARY KEY,
  finding BIGINT NOT NULL REFERENCES lending_finding(id),
  number BIGINT NOT NULL,          -- 1, 2 … of the finding
  person_id BIGINT,
  began BIGINT NOT NULL,
  zone_zh TEXT NOT NULL,
  zone_en TEXT NOT NULL,
  remote TEXT NOT NULL,            -- address
  UNIQUE (finding, number)
);

-- What was done about it. The newest step that is not lifted is in force.
CREATE TABLE lending_step (
  id BIGINT PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,   -- the id
  account BIGINT NOT NULL REFERENCES account(id),
  person_id BIGINT,
  holder TEXT NOT NULL,
  holder_name TEXT NOT NULL,
  step TEXT NOT NULL,              -- code LENDING_STEP
  taken BIGINT NOT NULL,
  taken_by BIGINT NOT NULL,        -- account, 0 = by itself
  taken_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  findings TEXT NOT NULL,          -- JSON array of ids
  lifted BIGINT,
  lifted_by BIGINT,
  lifted_name TEXT,
  lifted_reason TEXT
);
CREATE INDEX lending_step_of_account ON lending_step (account, taken);
CREATE INDEX lending_step_taken ON lending_step (taken);
