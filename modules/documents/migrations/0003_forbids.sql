-- On what a document rests, and what was forbidden when it was made: whatever is forbidden since closes it (§3.3.1).
ALTER TABLE document ADD COLUMN basis TEXT NOT NULL DEFAULT '';  -- "§2.2.1,grant:2026-0017,forbid:0f3a…"; '' = before this column
