#!/usr/bin/env bash
# Gets the sources of Elixir's library, as the distribution has them, into a directory, for the test that compares the reader
# with Elixir's own parser. Usage: fetch-sources.sh DIRECTORY, then
# HEADCOUNT_ELIXIR_SOURCES=DIRECTORY go test ./audit/internal/elixir
# It asks the archives that the machine has its packages from, with lists and a cache of its own, and changes nothing of apt's.
set -euo pipefail

mkdir -p "$1"
directory=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$scratch/parts" "$scratch/unpacked"

# The distribution's own archives are those with its codename as the suite, in either kind of file. Others may have no sources.
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
	if [ -f "$file" ]; then
		sed -nE "/^deb .* $codename(-[a-z]+)? /s/^deb /deb-src /p" "$file" >>"$scratch/parts/sources.list"
	fi
done
for file in /etc/apt/sources.list.d/*.sources; do
	if [ -f "$file" ] && grep -qE "^Suites:.* $codename(-[a-z]+)?( |$)" "$file"; then
		sed 's/^Types:.*/Types: deb-src/' "$file" >"$scratch/parts/$(basename "$file")"
	fi
done

options=(
	-o Dir::Etc::sourcelist=/dev/null
	-o Dir::Etc::sourceparts="$scratch/parts"
	-o Dir::State::lists="$scratch/lists"
	-o Dir::Cache="$scratch/cache"
	-o APT::Sandbox::User=root
)
apt-get "${options[@]}" update -q
cd "$scratch"
apt-get "${options[@]}" source -q --download-only elixir-lang
tar -xf ./*.orig.tar.* -C unpacked
find unpacked -type f ! -name '*.ex' ! -name '*.exs' -delete
cp -R unpacked/. "$directory/"
