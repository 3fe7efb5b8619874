#!/usr/bin/env bash
# Grades, writes the job's summary, OUT/results.json and OUT/junit.xml, and ends as the policy FAIL says.
# With SHARD it grades one share, and writes OUT alone; with SHARES it puts the folders in there together.
#
# Exit codes: 0 the policy lets all pass; 1 it does not, or nothing could be graded, or, unless the policy is never, a
# submission could not; 2 and 3 as the autograder's: usage, and a sandbox or worker that failed, whatever the policy.
set -euo pipefail
: "${ASSIGNMENT:?}" "${OUT:?}" "${FAIL:?}"
autograder=${AUTOGRADER:-autograder}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -n "${KEY:-}" ]; then
  (umask 077 && printf '%s' "$KEY" > "$work/key")
  export FIXMELAB_KEY_FILE=$work/key
fi
unset KEY

# What follows prints names and messages of strangers: none of their lines may become a command to the runner.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '::stop-commands::%s\n' "$token"
trap 'printf "\n::%s::\n" "$token"; rm -rf "$work"' EXIT

# Of a run before, which may have graded another submission.
rm -f "$OUT/results.json" "$OUT/junit.xml"
if [ -n "${SHARES:-}" ]; then
  command=(merge "$SHARES"/* --out "$OUT")
  if [ -e "$SHARES/results.json" ]; then # a download of one artifact has no folder of its own
    command=(merge "$SHARES" --out "$OUT")
  fi
else
  command=(grade "$ASSIGNMENT" "${SUBMISSIONS:?}" --out "$OUT" --jobs "${JOBS:-2}" ${SHARD:+--shard "$SHARD"})
fi
forms() {
  "$autograder" export "$OUT" --to junit --out "$OUT/junit.xml" && "$autograder" export "$OUT" --to markdown >> "$summary"
}
graded=0
"$autograder" "${command[@]}" 2> "$work/problems" || graded=$?
cat "$work/problems" >&2

if [ "$graded" -ne 0 ]; then
  # Indented by four, text is shown as it is.
  { printf '\n**Not all could be graded:**\n\n'; sed -n 's/^error: /    /p' "$work/problems" | head -c 20000; printf '\n'; } >> "$summary"
fi
# One share is no class: no form takes its results, nor those of a class of which somebody is missing.
if [ -z "${SHARD:-}" ] && [ -e "$OUT/results.json" ]; then
  forms || [ "$graded" -ne 0 ]
fi
if [ "$graded" -gt 1 ]; then
  exit "$graded"
fi
if [ ! -e "$OUT/results.json" ]; then
  exit 1
fi
if [ -n "${SHARD:-}" ]; then
  exit 0
fi
"$autograder" policy "$OUT" --fail "$FAIL"
if [ "$FAIL" != never ]; then
  exit "$graded"
fi
