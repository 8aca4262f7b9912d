#!/bin/sh
# Run by mmdebstrap as its extract hook, with the scratch root as $1: fetches verified .deb
# files with the apt configuration that mmdebstrap has made for the suite. Package names come
# in DEBS_CLOSURE and DEBS_ALONE, the destination in DEBS_INTO.
set -eu
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"

# Only the suite itself: the update and security archives of an old suite go away piece by
# piece, and then list packages that cannot be fetched any more.
sed -i '2,$d' "$1/etc/apt/sources.list"

mkdir -p "$DEBS_INTO/partial"
cp "$1/etc/apt/sources.list" "$DEBS_INTO/source"
apt() { apt-get --quiet --yes -o APT::Sandbox::User=root -o Dir::Cache::archives="$DEBS_INTO" "$@"; }

# The names are words of our own recipe, so splitting them is meant.
# shellcheck disable=SC2086
if [ -n "$DEBS_CLOSURE" ]; then
    apt install --download-only --no-install-recommends $DEBS_CLOSURE
fi
# shellcheck disable=SC2086
if [ -n "$DEBS_ALONE" ]; then
    (cd "$DEBS_INTO" && apt download $DEBS_ALONE)
fi
rm -rf "$DEBS_INTO/partial" "$DEBS_INTO/lock"

# One after the other, for the shell looks at the last command of a pipe only.
cat "$1"/var/lib/apt/lists/*_dists_*InRelease > "$DEBS_INTO/releases"
sha256sum < "$DEBS_INTO/releases" > "$DEBS_INTO/release.new"
mv "$DEBS_INTO/release.new" "$DEBS_INTO/release"
