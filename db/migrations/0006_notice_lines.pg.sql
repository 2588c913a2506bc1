-- Notices: a line for one account, in the transaction of the act it tells of; mail follows after the commit, if the account has an address.
CREATE TABLE notice (
  id BIGINT PRIMARY KEY,
  account BIGINT NOT NULL REFERENCES account(id),
  about TEXT COLLATE "C" NOT NULL,             -- case:2026-0017, grant:2026-0017; '' = nothing in particular
  text_zh TEXT COLLATE "C" NOT NULL,
  text_en TEXT COLLATE "C" NOT NULL,
  created_us BIGINT NOT NULL,
  read_us BIGINT,
  mail_state TEXT COLLATE "C" NOT NULL,        -- due | sent | refused | none (no address)
  mail_attempts BIGINT NOT NULL DEFAULT 0,
  mail_next_us BIGINT,
  mail_reason TEXT COLLATE "C"
);
CREATE INDEX notice_account ON notice (account, id);
CREATE INDEX notice_mail_due ON notice (mail_next_us) WHERE mail_state = 'due';
CREATE TABLE notice_number (id BIGINT PRIMARY KEY, next BIGINT NOT NULL);
INSERT INTO notice_number (id, next) VALUES (1, 1);
