//! What the long help teaches: examples, the calls of a replay, the exit codes.
//!
//! Must not know which arguments there are.

/// The exit codes of all commands.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 a malformed line, an unknown key, findings of check, or a difference under --exit-code of diff; 2 wrong usage, or a file that cannot be used; 3 datafile unreadable or refused; 101 a defect of this program, to be reported. A reader that closes the pipe early changes no exit code";

pub(super) const FIRST_LESSON: &str = "\
Examples:
  Replay a file of calls and read what happened:
    variate replay --datafile datafiles/shop.json --calls datafiles/shop.calls.jsonl --format text
  Ask why a user gets what they get:
    variate decide --datafile datafiles/shop.json --flag search --user mia --explain
  Find what is wrong with a datafile before it ships:
    variate check datafiles/shop.json";

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

Examples:
  Answer a file of calls:
    variate replay --datafile shop.json --calls calls.jsonl
  Read what happened, with credits in words and a summary:
    variate replay --datafile shop.json --calls calls.jsonl --format text
  See what today's SDKs would send:
    variate replay --datafile shop.json --calls calls.jsonl --events events.jsonl \
      --attribution backend
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
