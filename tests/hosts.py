"""Hosts on one machine: a network namespace each, with an address on 10.77.0.0/24, joined by a bridge in a namespace of
its own. Nothing of it is visible outside, and the machine's own network is untouched.

    if hosts.missing() is None:
        hosts.enter()                         # this process again, as root of namespaces that end with it
        net = hosts.Hosts(8)                  # "coordinator", and hosts 0 to 7
        Popen(net.on(3, [program, ...]))      # the pid is the program's own
        net.cut(3); net.heal(3); net.slow(3)
        net.close()
"""
import os
import subprocess
import sys

IP = "/sbin/ip"
TC = "/sbin/tc"
INSIDE = "FSH_HOSTS_INSIDE"
COORDINATOR = "coordinator"


def _unshare(command):
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--pid", "--fork", "--kill-child=KILL", "--mount", "--mount-proc", "sh", "-ec",
            'mount -t tmpfs tmpfs /run; ip=$1; shift; "$ip" link set lo up; exec "$@"', "sh", IP, *command]


def missing():
    """None, or why there can be no hosts here."""
    if os.environ.get(INSIDE):
        return None
    script = f"{IP} netns add try && {IP} -n try link add bridge type bridge && {IP} link add here type veth peer name there netns try"
    try:
        done = subprocess.run(_unshare(["sh", "-ec", script + f" && {TC} qdisc add dev here root tbf rate 1mbit burst 16kb latency 1s"]),
                              capture_output=True, timeout=30, check=False)
    except OSError as error:
        return str(error)
    return done.stderr.decode(errors="replace").strip() or "no network namespaces" if done.returncode else None


def enter():
    """Starts this script again inside, and ends with its exit code."""
    if os.environ.get(INSIDE):
        return
    sys.stdout.flush()
    command = _unshare([sys.executable, *sys.argv])
    os.execvpe(command[0], command, {**os.environ, INSIDE: "1"})


class Hosts:
    """Needs enter() before."""

    def __init__(self, count):
        self.names = [COORDINATOR, *map(str, range(count))]
        self._ip("netns", "add", "switch")
        self._ip("-n", "switch", "link", "add", "bridge", "type", "bridge", "forward_delay", "0", "stp_state", "0")
        self._ip("-n", "switch", "link", "set", "bridge", "up")
        for place, name in enumerate(self.names):
            self._ip("netns", "add", name)
            self._ip("-n", name, "link", "set", "lo", "up")
            self._ip("-n", "switch", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
            self._ip("-n", "switch", "link", "set", f"to-{name}", "master", "bridge", "up")
            self._ip("-n", name, "addr", "add", f"10.77.0.{10 + place}/24", "dev", "eth0")
            self._ip("-n", name, "link", "set", "eth0", "up")

    @staticmethod
    def _ip(*words):
        subprocess.run([IP, *map(str, words)], check=True, timeout=30)

    @staticmethod
    def _tc(*words, check=True):
        subprocess.run([TC, *map(str, words)], check=check, timeout=30, stderr=subprocess.DEVNULL)

    def address(self, name=COORDINATOR):
        return f"10.77.0.{10 + self.names.index(str(name))}"

    @staticmethod
    def on(name, command):
        return [IP, "netns", "exec", str(name), *command]

    def cut(self, name):
        """The cable is pulled: what is sent is lost without a word."""
        self._ip("-n", "switch", "link", "set", f"to-{name}", "down")

    def slow(self, name, rate="400kbit"):
        """Both ways."""
        self._tc("-n", name, "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "16kb", "latency", "400ms")
        self._tc("-n", "switch", "qdisc", "replace", "dev", f"to-{name}", "root", "tbf", "rate", rate, "burst", "16kb",
                 "latency", "400ms")

    def heal(self, name):
        self._ip("-n", "switch", "link", "set", f"to-{name}", "up")
        self._tc("-n", name, "qdisc", "del", "dev", "eth0", "root", check=False)
        self._tc("-n", "switch", "qdisc", "del", "dev", f"to-{name}", "root", check=False)

    def close(self):
        for name in ["switch", *self.names]:
            self._ip("netns", "del", name)
