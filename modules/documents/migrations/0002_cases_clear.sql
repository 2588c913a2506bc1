-- What of a document was open in clear when it was made: at every download it has to be so still (§3.3.1).
ALTER TABLE document ADD COLUMN clear TEXT NOT NULL DEFAULT '{}';  -- JSON: column -> whether in clear, else masked
