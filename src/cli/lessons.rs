//! What the long help teaches: examples, the calls of a replay, the exit codes.
//!
//! Must not know which arguments there are.

/// The exit codes of all commands.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 a malformed line, an unknown key, findings of check, a difference under --exit-code of diff, or something that a store did not take or has lost; 2 wrong usage, or a file that cannot be used; 3 datafile unreadable or refused, a store that cannot be opened, or settings of the daemon that are refused; 4 a store that another process has open, or an address that it listens on; 101 a defect of this program, to be reported. A reader that closes the pipe early changes no exit code";

pub(super) const FIRST_LESSON: &str = "\
Examples:
  Answer over HTTP, with everything remembered on disk:
    variate serve --datafile datafiles/shop.json
  Replay a file of calls and read what happened:
    variate replay --datafile datafiles/shop.json --calls datafiles/shop.calls.jsonl --format text
  Ask why a user gets what they get:
    variate decide --datafile datafiles/shop.json --flag search --user mia --explain
  Find what is wrong with a datafile before it ships:
    variate check datafiles/shop.json
  See what waits in a store, and what failed:
    variate events stats --store DIR";

pub(super) const SERVE_LESSON: &str = r#"Where it listens is printed on standard output, a line for each port ("api
http://127.0.0.1:8080"), when it answers; with a sink stdout, on standard error. It ends on
SIGTERM or Ctrl-C: no new connections, requests under way are answered, what was taken is stored,
and sinks get what waits, within --shutdown-deadline.

A setting is taken from the command line, else from the environment, else from the file, else it
is the default. A list (datafiles and SDK keys, sinks) is taken whole; in the environment and in
a flag its parts stand between semicolons. A path that holds = is written ./so, or in the file;
one that holds ; can stand in the file only. The file has the same names with _ for -, in tables
where --print-config has them there ([agent], [ofrep], [cors], [jwt]), and tables for lists; paths
in it are from where the daemon is started:

    host = "127.0.0.1"
    late_window = "30m"

    [[environment]]
    name = "production"
    datafile = "https://example.com/%s.json"   # or a path; without one, sdk_key is asked for at Optimizely
    sdk_key = "KEY:TOKEN"                      # also chooses the environment, as the datafile's own key does
    poll_interval = "30s"
    attribution = "backend"

    [[sink]]
    to = "webhook:https://example.com/hook"
    secret = "..."
    attribution = "activated"

    [[token]]
    name = "shop"
    secret_file = "shop.token"        # or secret, or secret_sha256: openssl rand -hex 32
    environments = ["production"]     # or ["*"]
    scopes = ["decide", "track"]      # of decide, track, override, admin
    rate = "100/s"

With tokens, or Optimizely Agent's JWTs ([jwt], [[jwt.client]]), all but /health and a bare /ready
needs one, sent as Authorization: Bearer TOKEN. SIGHUP reads the settings again; what needs a
restart is said in the log.

The API (8080): Optimizely Agent's /v1/decide, activate, track, config, datafile, lookup, save,
override, batch and notifications/event-stream, for the environment of the header
X-Optimizely-SDK-Key, which may be left out where there is one environment and only this machine
reaches it; OFREP at /ofrep/v1; GET /datafiles/KEY.json for official SDKs, and POST /v1/events for
what they send; the tracking calls of other systems, as the README has them. The administration
(8088): GET / (a page for people), /events and the other verbs of `variate events`, /metrics,
/problems, /settings, /info; POST /environments/NAME/accept and /refresh. Both: GET /openapi.json
(all of it, for programs), /health (alive) and /ready (every environment has a datafile, and the
store takes what comes).

Examples:
  One datafile:
    variate serve --datafile datafiles/shop.json
  Two environments from Optimizely, and records to a webhook:
    VARIATE_WEBHOOK_SECRET=s3cret variate serve --sdk-key production=KEY --sdk-key staging=OTHER \
      --sink webhook:https://example.com/hook
  What is in force:
    variate serve --config variate.toml --print-config
  On any free port, for a script:
    variate serve --datafile shop.json --port 0 --admin-port off"#;

pub(super) const REPLAY_LESSON: &str = r#"Calls (each also has a "userId", and may have "attributes", "segments", "time" in ms since 1970):
  activate, getVariation                      "experimentKey"  [activate: "id"]
  track                                       "eventKey"  ["id", "eventTags", "count", "duration"]
  decide                                      "flagKey"  ["options"]
  decideAll                                   ["options"]
  decideForKeys                               "flagKeys"  ["options"]
  isFeatureEnabled, getAllFeatureVariables    "flagKey"
  getFeatureVariable                          "flagKey", "variableKey"
  getEnabledFeatures
  setForcedVariation                          "experimentKey", "variationKey" (null: take it back)
  getForcedVariation                          "experimentKey"
  setForcedDecision                           "flagKey", "variationKey"  ["ruleKey"]
  removeForcedDecision                        "flagKey"  ["ruleKey"]
  removeAllForcedDecisions
  setDatafile                                 "path"  (no user)

A time says when the call happened. The clock of receipt follows the times and never goes back: a
call with an earlier time than one before it is a late arrival. Calls without a time happen now;
if they record nothing, they leave the clock alone.

A malformed line is answered with {"error": "..."}, and the replay goes on. Blank lines are
skipped. Unknown members and unknown names of options are ignored, as the SDKs do. The path of
setDatafile is relative to the current folder. A reader that closes the pipe early is no fault.

With --store, each call is answered when what it records would survive a power cut. Where the store
does not take it, activate and track are answered with {"error": "..."}, and the other calls as if
nothing had happened; the replay goes on, and the exit code is 1. The clock goes on from the latest
time in the store. What --sticky and the forced calls arrange is kept in memory only. Records stay in
the store for sinks to come: `variate events` looks after them.

Examples:
  Answer a file of calls:
    variate replay --datafile shop.json --calls calls.jsonl
  Read what happened, with credits in words and a summary:
    variate replay --datafile shop.json --calls calls.jsonl --format text
  See what today's SDKs would send:
    variate replay --datafile shop.json --calls calls.jsonl --events events.jsonl \
      --attribution backend
  Go on tomorrow with what is remembered today:
    variate replay --datafile shop.json --calls monday.jsonl --store ./ledger
    variate replay --datafile shop.json --calls tuesday.jsonl --store ./ledger
  Ask from a pipe:
    echo '{"call":"decide","flagKey":"search","userId":"mia"}' |
      variate replay --datafile shop.json --calls -"#;

pub(super) const DECIDE_LESSON: &str = r#"Examples:
  Decide a flag:
    variate decide --datafile shop.json --flag search --user mia \
      --attribute country=DE --attribute age=27
  See why, step by step:
    variate decide --datafile shop.json --flag search --user mia --explain
  All flags that are on, for a program:
    variate decide --datafile shop.json --all --user mia --option ENABLED_FLAGS_ONLY --format json
  An experiment, with attributes from JSON:
    variate decide --datafile shop.json --experiment checkout_button --user mia \
      --attributes '{"country": "SE"}'"#;

pub(super) const CHECK_LESSON: &str = r#"Severities: an error is a part that is left out or cannot work; a warning works, but hardly as it
is meant; a note is worth knowing, and may well be meant. Findings at or above --fail-on give exit
code 1. A datafile that is refused, or cannot be read, gives 3, whatever the others have.

Each finding has a stable code (such as range-overlaps), a place (a JSON path, with the line and
column in the text), what is wrong, and the remedy. At most 1000 are listed for each datafile.

Formats:
  text   one finding on two lines, and a last line that counts them
  json   {"datafiles": [{"datafile", "refused", "findings": [{"severity", "code", "path", "line",
         "column", "endColumn", "message", "remedy"}], "errors", "warnings", "notes"}],
         "failOn", "exitCode"}; "refused" is null, or says why there are no findings
  sarif  SARIF 2.1.0, which code review tools show beside the lines

Examples:
  Look at one datafile:
    variate check shop.json
  Let a build fail on errors alone:
    variate check --fail-on error datafiles/*.json
  Show findings in code review:
    variate check --format sarif shop.json > check.sarif
  Check what is served:
    curl -s https://cdn.optimizely.com/datafiles/SDK_KEY.json | variate check -"#;

pub(super) const DIFF_LESSON: &str = r#"Parts are the same if they have the same id, else if they have the same key: then the id changed,
and since the ids of experiments, rollout rules, holdouts and groups are part of the hash, everybody
is bucketed anew. Each difference says what it means for users.

What it does to people is counted, not estimated: each user is decided for in both datafiles, for
every experiment as getVariation does and for every flag as decide does: of several experiments with
one key, that is the last. The users have no profiles,
no forced variations and no forced decisions. Where you keep profiles, users who have one keep their
variation, so fewer change than counted. Where a contextual bandit predicts, only who takes part is
compared.

Made-up users have the ids user-1-0, user-1-1, ... (user-SEED-NUMBER) and only the attributes given
here; without any, they are in hardly any audience. A file of users tells more about yours.

--format json answers with one object: "changes", each with "kind" (added, removed, changed,
renamed, recreated, reordered), "what", "path" (kinds and names in turn), "before", "after",
"rebuckets", "text" and "meaning"; and "people", with "experiments" and "flags".

Findings of the datafiles are only counted: `variate check` tells them.

The exit code is 0 whatever is different; with --exit-code it is 1 if anything is.

Examples:
  Before a datafile ships:
    variate diff live.json next.json
  For users in an audience:
    variate diff live.json next.json --attribute country=SE --attribute age=34
  For your users, one JSON object a line ({"userId": "...", "attributes": {...}}):
    variate diff live.json next.json --users users.ndjson
  In a pipeline:
    variate diff live.json next.json --sample 0 --exit-code --format json"#;

pub(super) const BUCKET_LESSON: &str = r#"The users:
  CSV with a header       a column user_id, userId or id; each other column is an attribute of its name.
                          A cell is read as JSON if it is JSON (34, true, "34"), else it is text; an
                          empty cell gives no attribute
  CSV of one column       ids without a header
  NDJSON                  {"userId": "...", "attributes": {...}} or "..." a line; other members are ignored
  An id that is empty is no user: it is mostly a cell that somebody forgot. --id-field names another
  column or member for the ids.

The variations, in the order of the users:
  CSV                     user_id,variation       with --all a column for each experiment; empty for none.
                          Of several experiments with one key, the last stands for it
  NDJSON                  {"userId": "...", "variationKey": "..."}; with --all "variationKeys": {...}; null for none

The answer is that of activate and getVariation: whitelist, audiences, groups and traffic count, forced
variations, profiles and the holdouts of flags do not. A contextual bandit needs a prediction for each
user, so its users get none here, and are counted. A line that holds no user is told, left out, and
makes the exit code 1. Memory does not grow with the file. Audiences are evaluated once for all users
who bring no attributes of their own.

Examples:
  Who gets which button:
    variate bucket --datafile shop.json --experiment checkout_button --users users.csv > variations.csv
  All experiments, for users from a pipe who are all in Sweden:
    cat ids.txt | variate bucket --datafile shop.json --all --users - --input-format csv \
      --attribute country=SE --format ndjson --output variations.ndjson
  How many would get what, and how fast:
    variate bucket --datafile shop.json --all --users users.ndjson --output /dev/null"#;

pub(super) const EVENTS_LESSON: &str = r#"A store is open in one process at a time. These commands are for one that no process has open; of
one that is in use they say which process has it, and give exit code 4. A running daemon is asked
with --admin in the place of --store: it answers as JSON, in lines as with --format json; it
delivers by itself, counts all that it holds, and can verify its records, dead letters, sinks and
datafiles, nothing else. They never make a store, and nothing in it grows too old while they look.
Opening one cuts off a commit that a power cut left half-written and that was never acknowledged.

Examples:
  What waits, and for which sink:
    variate events stats --store ./variate-data
  Everything about one user, for a program:
    variate events export --store ./variate-data --user anna > anna.ndjson
  What could not be delivered, and once the cause is mended, again:
    variate events dead list --store ./variate-data
    variate events dead retry --store ./variate-data --sink webhook:https://example.com/hook
    variate events deliver --store ./variate-data --sink webhook:https://example.com/hook
  The same of a daemon while it runs:
    variate events dead list --admin http://localhost:8088
  After a crash of the machine:
    variate events verify --store ./variate-data"#;

pub(super) const STATS_LESSON: &str = r#"Users, activations, pending events, ids, dead letters and sinks are those of the whole store; records are
counted as the filters say. A record waits until every sink has it; what they have is kept on for the
time of retention.

--format json answers with one object: "users", "activations", "pendingEvents", "ids" (about as many),
"records": {"kept", "oldest", "latest", "released", "waiting"}, "deadLetters", "sinks": [{"name",
"through", "waiting", "deadLetters"}], "environments": [{"environment", "activations",
"otherImpressions", "creditedEvents", "uncreditedEvents", "lateCredits", "firstReceivedAt",
"lastReceivedAt"}].

Examples:
  What the store holds:
    variate events stats --store ./variate-data
  How many impressions of an experiment came in today:
    variate events stats --store ./variate-data --experiment checkout_button --since 24h"#;

pub(super) const TAIL_LESSON: &str = r#"The latest comes last. --format json writes records as export does.

There is no --follow: one process has a store open at a time, so that whoever writes to it would be
kept out. Give that process a file sink, and follow its file.

Examples:
  The last ten:
    variate events tail --store ./variate-data
  The last purchases of a user:
    variate events tail --store ./variate-data --user anna --event purchase -n 3"#;

pub(super) const EXPORT_LESSON: &str = r#"Records are written in the order in which they were stored, delivered ones too as long as they are kept,
in the form of sinks: schema version 1, times in ms since 1970, revenue in cents, what is absent was not
given. Events without credits are among them. Readers fold records by id, and credits by theirs.

Examples:
  Everything, compressed:
    variate events export --store ./variate-data | gzip > records.ndjson.gz
  A day, into a file:
    variate events export --store ./variate-data --since 2026-03-02 --until 2026-03-03 \
      --output monday.ndjson
  What a sink has not got yet:
    variate events export --store ./variate-data --sink webhook:https://example.com/hook"#;

pub(super) const DEAD_LESSON: &str = r#"A dead letter is a record that a sink will never take, with the reason, or a run of records that are
gone and cannot be sent again: shed for all sinks because they needed more room than they had, or
released while one sink was left out. A letter that is to be sent again goes out when the process of
the store delivers next, or with `variate events deliver`; if it fails, it is dead anew.

retry and drop need numbers, a filter, or --all. Numbers that no letter has give exit code 1; the
others are done.

--format json lists one object a line: "number", "sink", "sequence", "count", "at", "reason",
"isRetried", "record" (schema version 1); retry answers {"retried", "gone", "unknown"}, drop
{"dropped", "unknown"}.

Examples:
  What died since yesterday, and why:
    variate events dead list --store ./variate-data --since 1d
  Send two of them again:
    variate events dead retry 3 7 --store ./variate-data
  Drop what one sink did not take:
    variate events dead drop --store ./variate-data --sink file:/var/log/records.ndjson"#;

pub(super) const DELIVER_LESSON: &str = r#"Each sink is given what it does not have yet, oldest first, and dead letters of its own that are
to be sent again. The store knows it by its name, which has to be the one that it has in the
process of the store; a sink that is new begins behind what was released. Nothing grows too old
meanwhile, however long a sink has been unavailable. A record that is refused becomes a dead
letter, dated by the store's latest record.

What all of the sinks have is released: kept for the time of retention only. So that nobody misses
anything by a slip of the finger, every sink that the store knows and that still waits for records
has to be given, or left out by its name.

Exit codes here: 0 all was delivered; 1 something waits still, or became a dead letter; 2 wrong
usage, or a sink that cannot begin; 3 and 4 as below.

--format json answers with one object: "sinks": [{"name", "delivered", "refused", "deadLetters",
"retried", "waiting", "lastError", "lastWarning"}]; "refused" counts what became a dead letter
now, "retried" what is to be sent again still.

Examples:
  What a mended webhook did not take, and what waits for it:
    variate events dead retry --all --store ./variate-data
    variate events deliver --store ./variate-data --sink webhook:https://example.com/hook
  A store that a replay has filled, to a file:
    variate events deliver --store ./ledger --sink file:records.ndjson --timeout 10m"#;

pub(super) const FORGET_LESSON: &str = r#"What the ledger holds of the user is gone when the command ends: later events of the user are credited
to nothing from before. Records about the user that sinks are still to get, or that are kept for the
time of retention, stay; so do dead letters. Both are counted. A user of whom nothing is held gives
exit code 1.

Example:
    variate events forget anna --environment production --store ./variate-data"#;

pub(super) const VERIFY_LESSON: &str = r#"Looked at is every commit in the journals, every record, row, id, dead letter and place of a sink, and
whether they agree: records are numbered without gaps, every event that waits has its record, the totals
are what is there, and nothing is ahead of the latest record.

A store that is too damaged to be opened is told from its files alone: how many commits are whole, and
where the damage is.

Exit codes here: 0 sound; 1 something is missing or damaged; 3 there is no store, or it cannot be opened
for another reason; 4 in use.

--format json answers with one object: "isSound", "isOpened", "isUsable", "commits", "tornBytes",
"records", "oldest", "latest", "users", "activations", "pendingEvents", "ids", "deadLetters", "sinks",
"lostRecords", "harmedUsers", "faultCount", "faults": [{"kind", "text"}] (1000 at most), "notes".

Example:
    variate events verify --store ./variate-data"#;

pub(super) const BENCH_LESSON: &str = r#"What is measured:
  hashing alone           the hash of each user id, in an exclusive group two, and nothing else: what
                          bucketing cannot do without
  bucketing in bulk       one experiment for many users who share their attributes; takes turns with hashing
  decide experiment       getVariation through the client, the user made for each call
  decide flag             decide through the client, with variables, without the decision event
  activate, new user      activate of users that the ledger does not hold
  activate, repeated      activate of users that it holds; with both the record is captured

Each is measured on 1, 2, 4 and so on threads, and on all. The figures are of this machine at this
moment: other work on it shows in them. Compare what was measured in one run.

JSON is one object: {"datafile", "revision", "machineThreads", "durationMs", "experiment":
{"experimentKey", "shareWithVariation"}, "flagKey", "measurements": [{"what", "threads", "calls",
"callsPerSecond", "nsPerCall": {"best", "median", "p99"}, "callsPerBatch"}], "bucketingToHashing":
[{"threads", "ratio"}]}; what is left out has no measurement.

Examples:
  On the built-in shop:
    variate bench
  On your datafile, for users who are in the audience:
    variate bench --datafile shop.json --experiment search_ranking --attribute country=DE
  For a program, longer, on one thread:
    variate bench --duration 2s --threads 1 --format json"#;
