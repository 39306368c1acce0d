//! What the long help teaches: examples, the calls of a replay, the exit codes.
//!
//! Must not know which arguments there are.

/// The exit codes of all commands.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 a malformed line or an unknown key; 2 wrong usage, or a file that cannot be used; 3 datafile unreadable or refused";

pub(super) const FIRST_LESSON: &str = "\
Examples:
  Replay a file of calls and read what happened:
    variate replay --datafile datafiles/shop.json --calls datafiles/shop.calls.jsonl --format text
  Ask why a user gets what they get:
    variate decide --datafile datafiles/shop.json --flag search --user mia --explain";

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

pub(super) const BUCKET_LESSON: &str = r#"The users:
  CSV with a header       a column user_id, userId or id; each other column is an attribute of its name.
                          A cell is read as JSON if it is JSON (34, true, "34"), else it is text; an
                          empty cell gives no attribute
  CSV of one column       ids without a header
  NDJSON                  {"userId": "...", "attributes": {...}} or "..." a line; other members are ignored

The variations, in the order of the users:
  CSV                     user_id,variation       with --all a column for each experiment; empty for none
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
