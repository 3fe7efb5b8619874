#!/usr/bin/env bash
# Takes ASSIGNMENT's notebook out of each student's repository into OUT/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb.
#
# STUDENTS holds a line a student: "STUDENT OWNER/NAME". A bare clone is made and the file is read from the commit at the
# tip of the default branch: no file of a student's is checked out, no link followed, no hook or filter run.
# TOKEN may read the repositories. What cannot be had is said in one line each and costs the others nothing.
set -euo pipefail
: "${ASSIGNMENT:?}" "${OUT:?}" "${STUDENTS:?}"
if ! [[ $ASSIGNMENT =~ ^[A-Za-z0-9_]+$ ]]; then
  echo "error: '$ASSIGNMENT' is no name of an assignment" >&2
  exit 1
fi
path=release/$ASSIGNMENT/$ASSIGNMENT.ipynb
clones=$(mktemp -d)
trap 'rm -rf "$clones"' EXIT
export GIT_TERMINAL_PROMPT=0 GIT_LFS_SKIP_SMUDGE=1
if [ -n "${TOKEN:-}" ]; then
  # In the environment, not in an address or on a command line, where others could read it.
  basic=$(printf 'x-access-token:%s' "$TOKEN" | base64 -w 0)
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.https://github.com/.extraheader GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $basic"
fi
unset TOKEN

count=0
problem() {
  echo "$1" >&2
  printf '    %s\n' "$1" >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
}
declare -A seen
while read -r student repository rest; do
  if [ -z "$student" ] || [ "${student:0:1}" = "#" ]; then
    continue
  fi
  if ! [[ $student =~ ^[A-Za-z0-9][A-Za-z0-9._@-]*$ && $repository =~ ^[A-Za-z0-9_-]+/[A-Za-z0-9._-]+$ && -z $rest ]]; then
    problem "a line of FIXMELAB_STUDENTS is not 'STUDENT OWNER/NAME': mend it"
    continue
  fi
  if [ -n "${seen[$student]:-}" ]; then
    problem "$student stands in FIXMELAB_STUDENTS twice: the first line counts"
    continue
  fi
  seen[$student]=yes
  count=$((count + 1))
  clone=$clones/$count
  if ! git clone --quiet --bare --depth 1 "https://github.com/$repository" "$clone" 2> /dev/null; then
    problem "$student: $repository cannot be cloned: check its name, and what the token may read"
    continue
  fi
  mkdir -p "$OUT/$student/$ASSIGNMENT"
  if ! git -C "$clone" cat-file blob "HEAD:$path" > "$OUT/$student/$ASSIGNMENT/$ASSIGNMENT.ipynb" 2> /dev/null; then
    problem "$student: $path is not in $repository"
    rm -rf "${OUT:?}/$student"
  fi
  rm -rf "$clone"
done <<< "${STUDENTS//$'\r'/}"
