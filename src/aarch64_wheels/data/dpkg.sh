#!/bin/sh
# What apt takes for dpkg in the embedded image, and `dpkg` on PATH there.
#
# The packages are an older Debian's (they go with the sysroot's glibc), the system is a newer
# one: so a package's headers and libraries go into the sysroot, where the compilers look, and
# all of it into the system as well, as hard links, but never over a file that is there already.
# No maintainer script is run, except those that choose alternatives: without these there is no
# libblas.so. What this is not asked to install, the real dpkg answers.
set -eu

sysroot=@sysroot@
libraries=usr/lib/@triplet@
admin=/var/lib/dpkg

action= status=/dev/null before=
for word; do
    [ "$before" != --status-fd ] || status=/dev/fd/$word
    before=$word
    case $word in
        -i | --install | --unpack) action=unpack ;;
        --configure | --triggers-only) action=nothing ;;
        -r | -P | --remove | --purge) action=refuse ;;
        -S | --search) action=search ;;
    esac
done
case $action in
    unpack) ;;
    nothing) exit 0 ;;
    search) # Whose a file is, also of one in the sysroot, which auditwheel grafts from there.
        for word; do
            shift
            set -- "$@" "${word#"$sysroot"}"
        done
        exec /usr/bin/dpkg "$@"
        ;;
    refuse)
        echo "dpkg: packages cannot be removed in this image: its libraries are in two places" >&2
        exit 2
        ;;
    *) exec /usr/bin/dpkg "$@" ;;
esac

# The same file system as both places, or there were no hard links. Merged as the system is.
stage=$(mktemp -d "$sysroot/unpacked.XXXXXX")
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"
for name in bin lib sbin; do
    mkdir -p "$stage/usr/$name"
    ln -s "usr/$name" "$stage/$name"
done

unpack() { # DEB: its files into the stage, its record into the database
    dpkg-deb --fsys-tarfile "$1" > "$stage/data.tar"
    tar --extract --file="$stage/data.tar" --directory="$stage" \
        --keep-directory-symlink --preserve-permissions --no-same-owner \
        --exclude='./usr/share/doc/*/changelog*' --exclude='./usr/share/locale/*' \
        --exclude='./usr/share/man/*' --exclude='./usr/share/info/*'
    dpkg-deb --field "$1" > "$stage/record"
    package=$(sed -n 's/^Package: //p' "$stage/record")
    architecture=$(sed -n 's/^Architecture: //p' "$stage/record")
    # Only where several architectures can be had, dpkg adds it to the name. apt takes packages of
    # no architecture for the system's own, so `:all` would name none of those it waits for.
    name=$package
    grep -qx 'Multi-Arch: same' "$stage/record" && name=$package:$architecture
    # By their places in the system, which is merged: a search is for where a file really is.
    tar --list --file="$stage/data.tar" | sed -E 's,^\./*,/,; s,/$,,; s,^$,/.,; s,^/(bin|lib|sbin)/,/usr/\1/,' \
        > "$admin/info/$name.list"
    forget "$package"
    { sed "1a Status: install ok installed" "$stage/record" && echo; } >> "$admin/status"
    for state in half-installed unpacked half-configured installed; do
        echo "status: $name: $state"
    done > "$status" # apt counts them
    echo "Unpacking $package ($(sed -n 's/^Version: //p' "$stage/record"))"
    dpkg-deb --ctrl-tarfile "$1" | tar --extract --to-stdout ./postinst > "$stage/postinst" 2> "$stage/said" || :
    if grep -q update-alternatives "$stage/postinst"; then
        mv "$stage/postinst" "$stage/postinst.$package"
    fi
    rm -f "$stage/data.tar" "$stage/record" "$stage/postinst" "$stage/said"
}

forget() { # PACKAGE: an older version's record goes
    awk -v RS= -v ORS='\n\n' -v first="Package: $1" \
        'split($0, lines, "\n") && lines[1] != first' "$admin/status" > "$admin/status.new"
    mv "$admin/status.new" "$admin/status"
}

relink() { # An absolute link would lead from the sysroot to the system's newer libraries.
    find "$stage/usr/lib" -type l \( -lname '/lib/*' -o -lname '/usr/*' \) | while read -r link; do
        ln -sfrn "$stage$(readlink "$link")" "$link"
    done
}

place() {
    for name in include lib; do
        [ ! -d "$stage/usr/$name" ] || cp -dRl --remove-destination "$stage/usr/$name/." "$sysroot/usr/$name"
    done
    for name in etc opt usr var; do
        [ ! -d "$stage/$name" ] || cp -dRl --update=none "$stage/$name/." "/$name"
    done
    # What the linker is to find must not be a newer library, where the system has one.
    find "$stage/$libraries" -maxdepth 1 -type l -name 'lib*.so' -printf "$sysroot/$libraries/%f\0" 2> /dev/null \
        | xargs -0 -r ln -sfn -t "/$libraries"
}

choose() { # Alternatives, in the system, and then in the sysroot.
    for script in "$stage"/postinst.*; do
        [ -e "$script" ] || return 0
        chmod 755 "$script"
        DPKG_MAINTSCRIPT_NAME=postinst DPKG_MAINTSCRIPT_PACKAGE=${script##*.} "$script" configure < /dev/null \
            || echo "dpkg: warning: ${script##*.} has not chosen its alternatives" >&2
    done
    cd /
    find usr/include usr/lib -type l -lname '/etc/alternatives/*' \
        -exec cp -dR --parents --update=none -t "$sysroot" {} +
}

found=
for word; do # Where there are many, apt gives a directory with links to them.
    case $word in
        -* | [0-9] | [0-9][0-9]) continue ;;
        *.deb) set -- "$word" ;;
        *) set -- "$word"/*.deb ;;
    esac
    for deb; do
        unpack "$deb"
        found=yes
    done
done
if [ -z "$found" ]; then
    echo "dpkg: no packages given" >&2
    exit 2
fi
relink
place
choose
