-- A deputy stands in after accepting (§2.4.2), and as long as the principal holds the post. What was appointed before is an offer, too: it
-- takes effect when it is accepted. `person_id` is -1 where nobody could accept, and `deputy_name` empty until it is accepted, so that an
-- offer tells nobody whether there is such an account.
ALTER TABLE deputy ADD COLUMN principal_staff BIGINT;  -- in the staff record; written when it is accepted
ALTER TABLE deputy ADD COLUMN accepted BIGINT;
ALTER TABLE deputy ADD COLUMN declined BIGINT;
UPDATE deputy SET deputy_name = '';
