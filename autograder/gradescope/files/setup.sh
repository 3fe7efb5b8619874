#!/usr/bin/env bash
# Run once, as root, when Gradescope builds its image: Python and what the grader needs, and a user for students' code.
# AUTOGRADER_ROOT, FIXMELAB_PLACE: other places. FIXMELAB_PYTHON: a Python to install into that has all requirements.
# FIXMELAB_USER: the number of a user that nobody uses, instead of a new one.
set -euo pipefail
umask 022

root="${AUTOGRADER_ROOT:-/autograder}"
place="${FIXMELAB_PLACE:-/opt/fixmelab}"
source="$root/source"
mkdir -p "$place"

if [ -n "${FIXMELAB_PYTHON:-}" ]; then
    python="$FIXMELAB_PYTHON"
else
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends python3-venv bubblewrap util-linux
    python3 -m venv "$place/environment"
    python="$place/environment/bin/python"
    install=("$python" -m pip install --quiet --no-cache-dir --disable-pip-version-check -c "$source/constraints.txt")
    if [ -s "$source/torch_index.txt" ]; then
        "${install[@]}" --index-url "$(cat "$source/torch_index.txt")" torch torchvision
    fi
    "${install[@]}" -r "$source/requirements.txt"
fi

if [ -n "${FIXMELAB_USER:-}" ]; then
    user="$FIXMELAB_USER"
else
    id -u fixmelab-student >/dev/null 2>&1 ||
        useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin fixmelab-student
    user="$(id -u fixmelab-student)"
fi

# The students' package is for all to read; the course is not.
packages="$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
rm -rf "$packages/fixmelab"
cp -r "$source/students/fixmelab" "$packages/fixmelab"
# Once, and not at each submission.
"$python" -m compileall -q "$packages/fixmelab" "$source/course/autograder"
chmod -R u=rwX,go=rX "$packages/fixmelab"
chmod -R go= "$source"

printf '%s\n' "$python" > "$place/python"
printf '%s\n' "$user" > "$place/user"

# What a student's process will do first has to work now, not at the first submission.
cd /
setpriv --reuid "$user" --regid "$user" --clear-groups "$python" -B -c 'import fixmelab, torch' ||
    { echo "error: user $user cannot run $python with torch and fixmelab: install Python where all can read it"; exit 1; }
cd "$source/course"
"$python" -B -c 'import autograder.gradescope.container'
echo "The grader is set up: Python $("$python" -c 'import platform; print(platform.python_version())'), user $user."
