-- Second factor of an account (§3.1.1, RFC 6238). The secret is sealed with a key of table secret, never in the clear.
CREATE TABLE account_factor (
  account INTEGER PRIMARY KEY REFERENCES account(id),
  sealed_secret BLOB NOT NULL,
  made_us BIGINT NOT NULL,
  confirmed_us BIGINT,                       -- NULL: offered, not proved yet, asks for nothing
  last_step BIGINT NOT NULL DEFAULT 0        -- newest time step a code was taken of; none is taken twice
);

-- Codes that stand in for the factor, each once. Only their HMAC is kept.
CREATE TABLE account_recovery (
  account BIGINT NOT NULL REFERENCES account(id),
  code_digest BLOB NOT NULL,
  used_us BIGINT,
  PRIMARY KEY (account, code_digest)
);

-- What a session began from (§2.5.3, §6.1.3), and whether its holder must show again who it is before the next answer.
ALTER TABLE session ADD COLUMN device_digest BLOB;   -- of the mark that the browser keeps; NULL: it sent none
ALTER TABLE session ADD COLUMN zone TEXT;            -- of the campus network (regulation/network.toml)
ALTER TABLE session ADD COLUMN held_us BIGINT;       -- NULL: answers as usual
ALTER TABLE session ADD COLUMN confirmed_us BIGINT;  -- when its holder last showed it
CREATE INDEX session_of_device ON session (device_digest, created_us) WHERE device_digest IS NOT NULL;
CREATE INDEX session_history ON session (account, created_us);
CREATE INDEX session_begun ON session (created_us);

-- An account that may look but neither act, change nor export.
ALTER TABLE account ADD COLUMN read_only_us BIGINT;
