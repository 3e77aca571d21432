#!/bin/bash
# Unpacks a recent systemd, and what it needs to run under chroot, into a folder: a peer for the tests.
# The machine's own systemd and packages are left as they are.
# Usage: systemd_peer.sh FOLDER
# Does nothing where FOLDER is complete. Exit status 3: the packages could not be fetched.
set -euo pipefail

if (($# != 1)); then
    echo "Usage: systemd_peer.sh FOLDER" >&2
    exit 2
fi
folder=$(realpath -m -- "$1")
# Newest first. A suite that cannot be fetched, or whose systemd does not run, gives way to the next.
suites=(sid trixie)
oldest=257
# Recommended packages are not installed, as they are too many; those that services load are named here.
# The ones that a suite does not have (a part of systemd that was split off later) are left out.
packages=(
    systemd systemd-boot-tools systemd-container systemd-coredump systemd-cryptsetup systemd-homed
    systemd-imds systemd-journal-remote systemd-oomd systemd-repart systemd-report systemd-resolved
    systemd-timesyncd systemd-tpm systemd-userdbd udev
    base-files base-passwd bash coreutils dash dbus-daemon login mount util-linux
    libbpf1 libcryptsetup12 libdw1t64 libfdisk1 libidn2-0 libkmod2 libpwquality1 libqrencode4
    libseccomp2 libtss2-esys-3.0.2-0t64 libtss2-mu-4.0.1-0t64 libtss2-rc0t64
)
# Another package list makes another tree.
edition=$(cksum <"${BASH_SOURCE[0]}")

version() {
    local line
    line=$(chroot "$1" varlinkctl --version) && printf '%s\n' "${line%%$'\n'*}"
}

if [[ -f $folder/.complete && $(<"$folder/.complete") == "$edition" ]]; then
    version "$folder"
    exit
fi

mkdir -p -- "$(dirname -- "$folder")"
work=$(mktemp -d -- "$folder.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
chmod 755 "$work"
apt=$work/apt tree=$work/tree log=$work/log
mkdir -p "$apt"/{state/lists/partial,cache/archives/partial}
: >"$apt/status"
# Read after the machine's own configuration, which stays in force for the rest (proxies, for example).
cat >"$apt/conf" <<END
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Install-Recommends "false";
# Its unprivileged user may not enter the folder.
APT::Sandbox::User "root";
# These are about the machine itself, or throw the packages away.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
END

private() {
    "$1" -c "$apt/conf" "${@:2}" </dev/null
}

# What apt would fetch for its own lists tells the mirror, whichever way its sources are written.
mirror() {
    local codename
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    apt-get --print-uris update | sed -n "s|^'\(.*\)/dists/$codename/InRelease'.*|\1|p" | grep -m 1 '/debian$'
}

fetch() {
    local suite=$1 wanted
    rm -rf "$apt"/state/lists/* "$apt"/cache/archives/*.deb
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $origin $suite main" \
        >"$apt/sources.list"
    private apt-get update --error-on=any &&
        wanted=$(comm -12 <(private apt-cache pkgnames | sort) <(printf '%s\n' "${packages[@]}" | sort)) &&
        # The state has no package installed, so this is everything down to the C library.
        private apt-get install --yes --download-only $wanted
}

unpack() {
    local name package
    rm -rf "$tree"
    mkdir -p "$tree"/usr/{bin,sbin,lib,lib64}
    # The links of a merged /usr have to be there before the first package that uses them.
    for name in bin sbin lib lib64; do
        ln -s "usr/$name" "$tree/$name" || return
    done
    for package in "$apt"/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$tree" || return
    done
    # What the packages' own scripts would have done, as far as services miss it.
    cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd" &&
        cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group" &&
        chroot "$tree" systemd-sysusers
}

works() {
    local number
    number=$(version "$tree") && number=${number#systemd } && ((${number%%[^0-9]*} >= oldest))
}

origin=$(mirror) || {
    echo "systemd_peer.sh: apt's sources name no Debian mirror for this machine's release." >&2
    exit 3
}
failures=
for suite in "${suites[@]}"; do
    if ! fetch "$suite" >"$log" 2>&1; then
        failures+="; the packages of $suite could not be fetched: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
    elif ! { unpack && works; } >"$log" 2>&1; then
        failures+="; systemd of $suite does not run here: $(tail -n 1 "$log")"
    else
        printf '%s\n' "$edition" >"$tree/.complete"
        rm -rf -- "$folder"
        mv -T -- "$tree" "$folder"
        version "$folder"
        exit
    fi
done
echo "systemd_peer.sh: ${failures#; }" >&2
exit 3
