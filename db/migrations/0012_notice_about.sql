-- What is about a piece of work is settled with it (kernel/notice).
CREATE INDEX notice_about ON notice (about) WHERE seen IS NULL;
