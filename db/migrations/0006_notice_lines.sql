-- Notices: a line for one account, in the transaction of the act it tells of; mail follows after the commit, if the account has an address.
-- A dataset too (catalog/notice.toml): its columns are named as the catalogue names fields.
CREATE TABLE notice (
  id BIGINT PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,   -- the id
  account BIGINT NOT NULL REFERENCES account(id),
  person_id BIGINT,                -- of the account
  about TEXT NOT NULL,             -- case:2026-0017, grant:2026-0017; '' = nothing in particular
  text_zh TEXT NOT NULL,
  text_en TEXT NOT NULL,
  made BIGINT NOT NULL,
  seen BIGINT,
  mail_state TEXT NOT NULL,        -- due | sent | refused | none (no address)
  mail_attempts BIGINT NOT NULL DEFAULT 0,
  mail_next_us BIGINT,
  mail_reason TEXT
);
CREATE INDEX notice_account ON notice (account) WHERE seen IS NULL;
CREATE INDEX notice_person ON notice (person_id, number);
CREATE INDEX notice_mail_due ON notice (mail_next_us) WHERE mail_state = 'due';
CREATE TABLE notice_number (id BIGINT PRIMARY KEY, next BIGINT NOT NULL);
INSERT INTO notice_number (id, next) VALUES (1, 1);
