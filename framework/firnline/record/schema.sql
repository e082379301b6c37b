-- One row a run. `status` is what the run itself said; a run whose lock is free although it says "running" was killed.
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY,
    pipeline TEXT NOT NULL,
    status TEXT NOT NULL,
    started REAL NOT NULL,
    seconds REAL,
    platform TEXT NOT NULL,
    sweep_id TEXT,
    job INTEGER
) WITHOUT ROWID;

-- The facts of a run in order; everything else can be told from them.
CREATE TABLE IF NOT EXISTS events (
    run_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (run_id, sequence)
) WITHOUT ROWID;

-- How each stage was planned and what became of it: for reasons, estimates and lineage.
CREATE TABLE IF NOT EXISTS stages (
    run_id TEXT NOT NULL,
    stage TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    started REAL NOT NULL,
    step TEXT NOT NULL,
    key TEXT NOT NULL,
    status TEXT NOT NULL,
    seconds REAL,
    parts TEXT NOT NULL,
    params TEXT NOT NULL,
    inputs TEXT NOT NULL,
    PRIMARY KEY (run_id, stage)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS stages_by_pipeline ON stages (pipeline, stage, started);
CREATE INDEX IF NOT EXISTS stages_by_key ON stages (key);

-- The newest finished output of each key. This row is the commit point of a stage.
CREATE TABLE IF NOT EXISTS outputs (
    key TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    stage TEXT NOT NULL,
    finished REAL NOT NULL,
    outputs TEXT NOT NULL,
    metrics TEXT NOT NULL
) WITHOUT ROWID;

-- Attempts that have begun and not committed: their files and tables are thrown away when their run is gone.
CREATE TABLE IF NOT EXISTS attempts (
    attempt_id TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    platform TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims (
    attempt_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    PRIMARY KEY (attempt_id, table_name)
) WITHOUT ROWID;

-- Stable names on the platform and the tables that they show.
CREATE TABLE IF NOT EXISTS published (
    name TEXT PRIMARY KEY,
    table_name TEXT NOT NULL
) WITHOUT ROWID;
