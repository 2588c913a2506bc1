-- Wrong passwords and codes given inside a session, or at the door by a browser that has signed in to the account before (§3.1.1):
-- counted here and not on the account, so that a stranger's guesses lock neither.
ALTER TABLE session ADD COLUMN failed_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN last_failed_us BIGINT;
ALTER TABLE session ADD COLUMN locked_until_us BIGINT;
ALTER TABLE session ADD COLUMN locked_attempts BIGINT NOT NULL DEFAULT 0;

-- What the files of one account come to is asked whenever it adds one.
CREATE INDEX case_attachment_account ON case_attachment (account);
CREATE INDEX paper_account ON paper (account, made);
