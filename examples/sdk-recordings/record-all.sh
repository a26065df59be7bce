#!/bin/sh
# Makes every recording again: sh examples/sdk-recordings/record-all.sh
#
# Needs Node 26 with npm, Python 3.11 with venv, Go 1.26, Java 17 with Maven, and their registries. Everything that it
# installs goes to a temporary folder. The recordings replace those in collector/payloads only when all were made and
# agree with the story; `npm run fix` then lays them out.
set -eu
programs=$(cd "$(dirname "$0")" && pwd)
payloads=$programs/../../collector/payloads
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$programs/." "$work"
record="node $work/record.mjs $work/recordings"

cd "$work/javascript"
npm ci --no-audit --no-fund
for program in story ordinary; do $record node "$program.mjs"; done

cd "$work/python"
python3 -m venv venv
venv/bin/pip install --quiet --requirement requirements.txt
for program in story ordinary; do $record venv/bin/python "$program.py"; done

cd "$work/go"
# Without -trimpath, stack traces would name folders of this machine.
go build -trimpath -o sdk-recording .
for program in story ordinary; do $record ./sdk-recording "$program"; done

cd "$work/java"
for program in Story Ordinary; do $record mvn --quiet --batch-mode compile exec:java -Dteller="$program"; done

cd "$work"
python/venv/bin/python decode.py recordings
python/venv/bin/python check.py recordings
if grep --text --recursive --files-with-matches "$work" recordings; then
  echo "These recordings name the folder that they were made in; mend their programs." >&2
  exit 1
fi
find "$payloads" -type f ! -name README.md ! -name .gitattributes -delete
mv recordings/* "$payloads"
