-- What an export was made of (§3.1.4, §3.3.1), beside its paper in the register.
CREATE TABLE document (
  paper TEXT PRIMARY KEY REFERENCES paper(number),
  dataset TEXT NOT NULL,
  format TEXT NOT NULL,            -- csv
  purpose TEXT NOT NULL,
  query TEXT NOT NULL,             -- JSON as asked
  row_count BIGINT NOT NULL
);
