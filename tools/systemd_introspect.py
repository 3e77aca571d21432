"""Collects the interface descriptions of every Varlink service of a systemd that lies in a folder.

Usage: python tools/systemd_introspect.py TREE OUT

TREE is what tools/systemd_peer.sh has made. Its systemd is booted as process 1 of namespaces of its own,
on a copy of TREE in memory; all of it is gone at the end. Each description is written to
OUT/INTERFACE.NAME.varlink as it was served; one line on stdout tells how a service was reached, or why it
was not. Needs root, util-linux, and Linux 5.14 with a cgroup2 mounted. Ends with status 1 when too few
descriptions were found, or too many services were not reached.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The oldest supported systemd, 257, has as many, and newer ones have twice as many.
ENOUGH = 18
# More services than this that were not reached are not this machine's fault any more.
UNREACHED = 3
BOOT = 120.0
COMMAND = 30.0

# Runs in the new namespaces, before anything of TREE. What systemd could change on the machine itself
# (kernel settings, devices, clock, modules) is read-only or needs a capability that is taken away.
PREPARE = """
set -eu
tree=$1 root=$2 notify=$3
mount --make-rprivate /
mount -t tmpfs tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/merged"
mount -t overlay -o "lowerdir=$tree,upperdir=$root/upper,workdir=$root/work" overlay "$root/merged"
cd "$root/merged"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
for node in null zero full random urandom tty; do
    : >"dev/$node"
    mount --bind "/dev/$node" "dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir run/host
: >run/host/notify
mount --bind "$notify" run/host/notify
: >etc/machine-id
caps=-audit_control,-audit_read,-block_suspend,-mac_admin,-mac_override,-mknod
caps=$caps,-sys_module,-sys_rawio,-sys_time,-syslog,-wake_alarm
exec env -i container=other NOTIFY_SOCKET=/run/host/notify PATH=/usr/bin:/usr/sbin \
    setpriv --bounding-set "$caps" chroot . /usr/lib/systemd/systemd
"""

# Services that have sockets beside those of their socket units, which not all versions have.
SERVICES = tuple(
    f"systemd-{name}.service"
    for name in ("homed", "machined", "networkd", "nsresourced", "resolved", "udevd", "userdbd")
)
# Programs that serve on the connection they are started with, and have no socket unit in TREE.
PROGRAMS = ("/usr/bin/bootctl",)
# A condition that is assigned nothing takes all conditions back: what is left out on this machine (it has
# no TPM, for example) can be introspected all the same.
UNCONDITIONAL = "[Unit]\nConditionPathExists=\n"


class PeerError(Exception):
    """Something of TREE did not do what it was asked for."""


@dataclass(frozen=True)
class System:
    """A running systemd: its process, and its root seen from here."""

    pid: int

    @property
    def root(self) -> Path:
        return Path(f"/proc/{self.pid}/root")

    def run(self, *command: str) -> str:
        """What a command of TREE prints, run beside its systemd."""
        enter = ["nsenter", f"--target={self.pid}", "--all", "--root", "--wd", "--"]
        try:
            done = subprocess.run(
                [*enter, *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                timeout=COMMAND,
                check=False,
                env={"PATH": "/usr/bin:/usr/sbin", "LC_ALL": "C"},
            )
        except subprocess.TimeoutExpired as error:
            raise PeerError(f"{command[0]} did not end within {COMMAND:.0f} s") from error
        if done.returncode:
            raise PeerError(" ".join(done.stderr.split()) or f"{command[0]} ended with {done.returncode}")
        return done.stdout


def unified_hierarchy() -> Path:
    """The control group of this process in version 2, the only one that systemd still knows."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    points = [point for _, point, kind, *_ in mounts if kind == "cgroup2"]
    own = [line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")]
    if not points or not own:
        raise PeerError("no cgroup2 is mounted")
    return Path(points[0] + own[0].removeprefix("0::"))


@contextlib.contextmanager
def control_group() -> Iterator[Path]:
    """A control group that is ended with all that systemd has started in it."""
    group = Path(tempfile.mkdtemp(prefix="fastvarlink-", dir=unified_hierarchy()))
    try:
        yield group
    finally:
        (group / "cgroup.kill").write_text("1")
        with (group / "cgroup.events").open() as events:
            change = select.poll()
            change.register(events, select.POLLPRI)
            while "populated 1" in events.read():
                if not change.poll(COMMAND * 1000):
                    raise PeerError(f"what {group} contains did not end")
                events.seek(0)
        for folder, _, _ in os.walk(group, topdown=False):
            os.rmdir(folder)


def await_ready(notify: socket.socket, process: subprocess.Popen[bytes]) -> int:
    """Wait until systemd says that it has booted; its process id, as this namespace has it."""
    deadline = time.monotonic() + BOOT
    ended = os.pidfd_open(process.pid)
    try:
        while True:
            left = max(0.0, deadline - time.monotonic())
            readable, _, _ = select.select([notify.fileno(), ended], [], [], left)
            if notify.fileno() in readable:
                message, control, _, _ = notify.recvmsg(65536, socket.CMSG_SPACE(12))
                if b"READY=1" in message.split(b"\n"):
                    (pid, _, _) = struct.unpack("3i", control[0][2])
                    return int(pid)
            elif ended in readable:
                raise PeerError("systemd ended while it booted")
            else:
                raise PeerError(f"systemd has not booted within {BOOT:.0f} s")
    finally:
        os.close(ended)


@contextlib.contextmanager
def booted(tree: Path) -> Iterator[System]:
    """TREE's systemd, from the end of its boot to the end of the block."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile() as said,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
    ):
        address = f"{folder}/notify"
        notify.bind(address)
        notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        root = Path(folder, "root")
        root.mkdir()
        # The group is joined before its namespace is made, so that it becomes the namespace's root.
        join = 'echo 0 >"$1/cgroup.procs"; shift; exec setpriv --pdeathsig KILL -- "$@"'
        spaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"]
        prepare = ["sh", "-c", PREPARE, "prepare", str(tree), str(root), address]
        with control_group() as group:
            process = subprocess.Popen(
                ["sh", "-ec", join, "join", str(group), "unshare", *spaces, *prepare],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
            try:
                system = System(await_ready(notify, process))
            except PeerError as error:
                said.seek(0)
                reason = said.read().decode(errors="replace")
                raise PeerError(" ".join([f"{error}:", *reason.split()]).rstrip(".:")) from error
            yield system
        process.wait()


@dataclass(frozen=True)
class SocketUnit:
    """A socket unit of TREE that Varlink is spoken on."""

    name: str
    paths: tuple[str, ...]


def socket_units(tree: Path) -> list[SocketUnit]:
    units = []
    for file in sorted(tree.glob("usr/lib/systemd/system/*.socket")):
        # Links are other names, and templates (of journald) are further instances of what is there already.
        if file.is_symlink() or file.stem.endswith("@"):
            continue
        text = file.read_text()
        if re.search(r"^(FileDescriptorName=varlink|ListenStream=/.*/io\.systemd\.)", text, re.M):
            units.append(SocketUnit(file.name, tuple(re.findall(r"^ListenStream=(/.*)$", text, re.M))))
    return units


def start(system: System, units: list[SocketUnit]) -> None:
    for kind in ("socket", "service"):
        folder = system.root / f"run/systemd/system/{kind}.d"
        folder.mkdir(parents=True)
        (folder / "unconditional.conf").write_text(UNCONDITIONAL)
    system.run("systemctl", "daemon-reload")
    for name in (*(unit.name for unit in units), *SERVICES):
        try:
            system.run("systemctl", "start", name)
        except PeerError as error:
            print(f"not started: {name}: {error}", flush=True)


def sockets(system: System, units: list[SocketUnit]) -> list[str]:
    """Every socket under /run that has the name of an interface, or is one of the units'."""
    found = {path for unit in units for path in unit.paths}
    for folder, _, files in os.walk(system.root / "run"):
        for file in files:
            path = Path(folder, file)
            if file.startswith("io.systemd.") and stat.S_ISSOCK(path.lstat().st_mode):
                found.add("/" + str(path.relative_to(system.root)))
    return sorted(found)


def describe(system: System, address: str) -> dict[str, str]:
    """The descriptions of a service's interfaces, as they go over the wire."""
    described = {}
    for name in system.run("varlinkctl", "list-interfaces", address).split():
        method, parameters = "org.varlink.service.GetInterfaceDescription", json.dumps({"interface": name})
        reply = json.loads(system.run("varlinkctl", "call", "--json=short", address, method, parameters))
        described[name] = str(reply["description"])
    return described


def complaint(system: System, unit: str) -> str:
    """The last error that the service of a socket unit has logged."""
    service = system.run("systemctl", "show", "--property=Triggers", "--value", unit).strip()
    match = (f"_SYSTEMD_UNIT={service}", "PRIORITY=3")
    return system.run("journalctl", "--quiet", "--no-pager", "--output=cat", "--lines=1", *match).strip()


def collect(system: System, units: list[SocketUnit]) -> tuple[dict[str, str], int]:
    """The descriptions of all services, and how many services were not reached."""
    owners = {path: unit.name for unit in units for path in unit.paths}
    collected: dict[str, str] = {}
    unreached = 0
    done: set[str] = set()
    waiting = [*PROGRAMS, *sockets(system, units)]
    while waiting:
        for path in waiting:
            program = path in PROGRAMS
            reached = "started by varlinkctl" if program else owners.get(path, "no socket unit")
            try:
                described = describe(system, f"{'exec' if program else 'unix'}:{path}")
            except PeerError as error:
                reasons = [str(error), complaint(system, owners[path]) if path in owners else ""]
                print(f"not reached: {path} ({reached}): {'; '.join(filter(None, reasons))}", flush=True)
                unreached += 1
                continue
            print(f"{path} ({reached}): {' '.join(described)}", flush=True)
            for name, text in described.items():
                if collected.setdefault(name, text) != text:
                    print(f"two descriptions of {name}: {path} has another one", flush=True)
        done.update(waiting)
        # A service may open further sockets once it is started.
        waiting = [path for path in sockets(system, units) if path not in done]
    return collected, unreached


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("Usage: python tools/systemd_introspect.py TREE OUT")
    # The end of the tool is also the end of what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tree, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    units = socket_units(tree)
    try:
        with booted(tree) as system:
            start(system, units)
            collected, unreached = collect(system, units)
    except PeerError as error:
        sys.exit(f"systemd_introspect.py: {error}.")
    out.mkdir(parents=True, exist_ok=True)
    for name, text in collected.items():
        (out / f"{name}.varlink").write_text(text, encoding="utf-8", newline="")
    print(f"{len(collected)} descriptions; {unreached} services were not reached", flush=True)
    if len(collected) < ENOUGH or unreached > UNREACHED:
        sys.exit(f"There must be at least {ENOUGH} descriptions, and at most {UNREACHED} services missed.")


if __name__ == "__main__":
    main()
