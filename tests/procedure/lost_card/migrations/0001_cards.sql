-- Student cards that were found (modules/lost_card): one row a case.
CREATE TABLE lost_card (
  id INTEGER PRIMARY KEY,  -- of the case
  number TEXT NOT NULL,    -- of the case
  card TEXT NOT NULL,      -- number printed on the card
  place TEXT NOT NULL,     -- where it lies
  found TEXT NOT NULL,     -- day
  state TEXT NOT NULL      -- code of LOST_CARD_STATE
);
CREATE UNIQUE INDEX lost_card_number ON lost_card (number);
