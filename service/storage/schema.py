"""The schema's later versions, by what needs them."""

#: which alarms the world is told of, incidents, mutes, requests, labels
OPERATIONS = """
ALTER TABLE alarm ADD COLUMN suppressed TEXT;
ALTER TABLE alarm ADD COLUMN raised INTEGER;
ALTER TABLE alarm ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarm ADD COLUMN incident TEXT;
ALTER TABLE alarm ADD COLUMN explanation TEXT NOT NULL DEFAULT '';
ALTER TABLE alarm ADD COLUMN evidence TEXT NOT NULL DEFAULT '{}';
ALTER TABLE alarm ADD COLUMN severity TEXT NOT NULL DEFAULT 'minor';
UPDATE alarm SET severity = iif(peak_score >= 4, 'critical', iif(peak_score >= 2, 'major', 'minor'));
UPDATE alarm SET raised = "start", told = 1;
CREATE INDEX alarm_raised ON alarm (raised) WHERE raised IS NOT NULL;
CREATE INDEX alarm_incident ON alarm (incident) WHERE incident IS NOT NULL;
CREATE TABLE incident (
    id TEXT PRIMARY KEY, site TEXT NOT NULL, "start" INTEGER NOT NULL, "end" INTEGER, newest INTEGER NOT NULL,
    alarms INTEGER NOT NULL, told INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE mute (
    id INTEGER PRIMARY KEY, monitor TEXT NOT NULL, stream TEXT NOT NULL, until INTEGER NOT NULL,
    reason TEXT NOT NULL, "by" TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE request (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, monitor TEXT NOT NULL, stream TEXT NOT NULL,
    "by" TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE label (
    alarm TEXT PRIMARY KEY, "false" INTEGER NOT NULL, note TEXT NOT NULL, "by" TEXT NOT NULL, created INTEGER NOT NULL)
    WITHOUT ROWID;
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'alarm';
"""

#: what is wrong with the data
QUALITY = """
ALTER TABLE verdict ADD COLUMN coverage REAL NOT NULL DEFAULT 1;
ALTER TABLE verdict ADD COLUMN quality INTEGER NOT NULL DEFAULT 0;
"""

#: the table of `foresense verdicts`: the start of the open alarm, if any, and the channel's place within its bundle
VERDICTS = """
ALTER TABLE verdict ADD COLUMN alarm INTEGER;
ALTER TABLE verdict ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
UPDATE verdict SET alarm = alarm."start" FROM alarm
    WHERE verdict.stream = alarm.stream AND time >= alarm."start" AND time < coalesce(alarm."end", time + 1);
"""

#: version 3: which broker a dead letter came from, so that it can be put back
DEAD_LETTERS = "ALTER TABLE dead_letter ADD COLUMN source TEXT NOT NULL DEFAULT '';"

#: version 3: how the service that runs is doing, as it says itself
STANDING = "CREATE TABLE standing (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL);"

#: version 3: what a relay reads of its sink, and what its server has refused
RELAYS = """
CREATE INDEX outbox_sink ON outbox (sink, id);
CREATE TABLE relay_letter (
    id INTEGER PRIMARY KEY, refused INTEGER NOT NULL, sink TEXT NOT NULL, kind TEXT NOT NULL, stream TEXT NOT NULL,
    body BLOB NOT NULL, reason TEXT NOT NULL);
CREATE INDEX relay_letter_kind ON relay_letter (sink, kind, id);
"""

#: version 3: a verdict is a row of its series, which is found by number; the view has the names
SERIES = """
CREATE TABLE series (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream, channel TEXT NOT NULL, place INTEGER NOT NULL,
    UNIQUE (stream, channel));
CREATE TABLE series_verdict (
    time INTEGER NOT NULL, series INTEGER NOT NULL REFERENCES series,
    value REAL, expected REAL, lower REAL, upper REAL, score REAL, status INTEGER NOT NULL,
    coverage REAL NOT NULL DEFAULT 1, quality INTEGER NOT NULL DEFAULT 0, alarm INTEGER,
    PRIMARY KEY (time, series)) WITHOUT ROWID;
INSERT INTO series (stream, channel, place) SELECT stream, channel, place FROM verdict WHERE true ORDER BY time
    ON CONFLICT (stream, channel) DO UPDATE SET place = excluded.place WHERE place != excluded.place;
INSERT INTO series_verdict
    SELECT time, series.id, value, expected, lower, upper, score, status, coverage, quality, alarm FROM verdict
    JOIN series ON series.stream = verdict.stream AND series.channel = verdict.channel;
DROP TABLE verdict;
CREATE VIEW verdict AS
    SELECT time, stream, channel, value, expected, lower, upper, score, status, coverage, quality, alarm, place
    FROM series_verdict JOIN series ON series.id = series_verdict.series;
"""

#: version 4: what the sessions at brokers were subscribed to, see service/brokers/subscriptions.py
SUBSCRIPTIONS = """
CREATE TABLE subscription (session TEXT NOT NULL, filter TEXT NOT NULL, PRIMARY KEY (session, filter)) WITHOUT ROWID;
"""

#: version 3: what verdicts become with age, as sums so that they can be added to; the view has what they mean
HOURS = """
CREATE TABLE series_hour (
    time INTEGER NOT NULL, series INTEGER NOT NULL REFERENCES series, slots INTEGER NOT NULL,
    "values" INTEGER NOT NULL, total REAL NOT NULL, least REAL, most REAL,
    forecasts INTEGER NOT NULL, forecast_total REAL NOT NULL, score REAL, anomalies INTEGER NOT NULL,
    PRIMARY KEY (time, series)) WITHOUT ROWID;
CREATE VIEW hourly AS
    SELECT time, stream, channel, slots, "values" AS count, total / nullif("values", 0) AS mean, least, most,
        forecast_total / nullif(forecasts, 0) AS expected, score, CAST(anomalies AS REAL) / slots AS anomalous
    FROM series_hour JOIN series ON series.id = series_hour.series;
CREATE INDEX alarm_start ON alarm (stream, "start");
CREATE INDEX alarm_end ON alarm ("end") WHERE "end" IS NOT NULL;
"""

#: version 4: which devices Home Assistant was told of, so that they can be taken back
ANNOUNCED = """
CREATE TABLE announced (
    config TEXT PRIMARY KEY, base TEXT NOT NULL, broker TEXT NOT NULL, components TEXT NOT NULL) WITHOUT ROWID;
"""

#: version 5: when receivers of notifications were sent messages within the last hour, see service/notifications/sent.py
NOTIFIED = """
CREATE TABLE notified (receiver TEXT NOT NULL, time INTEGER NOT NULL);
"""

#: version 4: what operators do over HTTP, who may, and who did
OPERATORS = """
CREATE INDEX alarm_time ON alarm ("start");
CREATE TABLE acknowledgement (
    alarm TEXT PRIMARY KEY, note TEXT NOT NULL, "by" TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER alarm_gone AFTER DELETE ON alarm BEGIN
    DELETE FROM acknowledgement WHERE alarm = old.id;
END;
CREATE TABLE budget (
    monitor TEXT PRIMARY KEY, budget TEXT NOT NULL, "by" TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE user (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE token (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,
    expires INTEGER) WITHOUT ROWID;
CREATE TABLE session (
    digest TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES user, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, address TEXT NOT NULL,
    action TEXT NOT NULL, detail TEXT NOT NULL, status INTEGER NOT NULL);
"""
