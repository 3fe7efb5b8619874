#!/usr/bin/env bash
# Takes ASSIGNMENT's notebook out of each student's repository into OUT/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb.
#
# STUDENTS holds a line a student, "STUDENT OWNER/NAME", or names a file in COURSE that does. A bare clone is made and the file is read from the commit at the
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
if [[ $STUDENTS != *[[:space:]]* ]]; then
  if [ ! -f "${COURSE:-.}/$STUDENTS" ]; then
    echo "error: FIXMELAB_STUDENTS is neither a line 'STUDENT OWNER/NAME' nor a file of the course: $STUDENTS" >&2
    exit 1
  fi
  STUDENTS=$(cat -- "${COURSE:-.}/$STUDENTS")
fi
export GIT_TERMINAL_PROMPT=0 GIT_LFS_SKIP_SMUDGE=1
if [ -n "${TOKEN:-}" ]; then
  # In the environment, not in an address or on a command line, where others could read it.
  basic=$(printf 'x-access-token:%s' "$TOKEN" | base64 -w 0)
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.https://github.com/.extraheader GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $basic"
fi
unset TOKEN

count=0
at_once=8
problem() {
  echo "$1" >&2
  printf '    %s\n' "$1" >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
}
take() { # STUDENT REPOSITORY CLONE
  if ! git clone --quiet --bare --depth 1 "https://github.com/$2" "$3" 2> /dev/null; then
    problem "$1: $2 cannot be cloned: check its name, and what the token may read"
    return 0
  fi
  mkdir -p "$OUT/$1/$ASSIGNMENT"
  if ! git -C "$3" cat-file blob "HEAD:$path" > "$OUT/$1/$ASSIGNMENT/$ASSIGNMENT.ipynb" 2> /dev/null; then
    problem "$1: $path is not in $2"
    rm -rf "${OUT:?}/$1"
  fi
  rm -rf "$3"
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
  if [ "$count" -gt "$at_once" ]; then
    wait -n
  fi
  take "$student" "$repository" "$clones/$count" &
done <<< "${STUDENTS//$'\r'/}"
wait
