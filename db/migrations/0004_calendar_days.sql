-- Working days (§2.4.2). Every change is a version: who, when and why; what it replaced stays.
CREATE TABLE calendar_state (id INTEGER PRIMARY KEY, version BIGINT NOT NULL);
INSERT INTO calendar_state (id, version) VALUES (1, 0);

-- A dataset too (catalogue: calendar_change): its columns are named as the catalogue names fields.
CREATE TABLE calendar_change (
  id BIGINT PRIMARY KEY,           -- the version
  version BIGINT NOT NULL UNIQUE,
  kind TEXT NOT NULL,              -- start | years | window | withdrawal
  account BIGINT NOT NULL,         -- 0 = the operator on the command line
  person_id BIGINT,                -- of the account
  name TEXT NOT NULL,
  reason TEXT NOT NULL,
  changed BIGINT NOT NULL
);

-- A year as its notice has it; the newest version of a year counts.
CREATE TABLE calendar_year (
  year BIGINT NOT NULL,
  version BIGINT NOT NULL REFERENCES calendar_change(version),
  provisional BIGINT NOT NULL,     -- 1: without a notice of the State Council
  notice TEXT NOT NULL,
  issued TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (year, version)
);

-- Its days on which the week does not hold.
CREATE TABLE calendar_day (
  year BIGINT NOT NULL,
  version BIGINT NOT NULL,
  day TEXT NOT NULL,
  works BIGINT NOT NULL,
  name_zh TEXT NOT NULL,
  name_en TEXT NOT NULL,
  PRIMARY KEY (year, version, day),
  FOREIGN KEY (year, version) REFERENCES calendar_year(year, version)
);

-- Days on which the school stops the clock, both ends included. Withdrawn while under way, it keeps the days gone by.
CREATE TABLE calendar_window (
  version BIGINT PRIMARY KEY REFERENCES calendar_change(version),  -- that added it; its number
  begins TEXT NOT NULL,
  ends TEXT NOT NULL,
  reason_zh TEXT NOT NULL,
  reason_en TEXT NOT NULL,
  withdrawn BIGINT REFERENCES calendar_change(version),
  kept_until TEXT                  -- of a withdrawn one: its last day that counts, NULL when none does
);
