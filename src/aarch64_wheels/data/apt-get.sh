#!/bin/sh
# `apt-get` and `apt` of the embedded image: the real ones, which need the suite's lists first;
# the image carries none, for they are large and soon old.
set -eu
program=/usr/bin/${0##*/}
[ -z "${SSL_CERT_FILE-}" ] || set -- -o "Acquire::https::CAInfo=$SSL_CERT_FILE" "$@"
case " $* " in
    *" install "* | *" build-dep "* | *" satisfy "* | *" download "* | *" show "* | *" search "*)
        if [ -z "$(find /var/lib/apt/lists -name '*_Packages*' 2> /dev/null)" ]; then
            "$program" -q update
        fi
        ;;
esac
exec "$program" "$@"
