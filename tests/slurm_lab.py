"""A Slurm cluster on one machine: every node a host of hosts.py with processes and a name of its own, all on one file
system. Nothing of it is visible outside.

    if slurm_lab.missing() is None:
        hosts.enter()
        lab = slurm_lab.Lab(folder, 3)        # a controller on "coordinator", nodes w0 to w2
        lab.client("sbatch", "--parsable", "script")
        lab.crash("w1"); lab.boot("w1")
        lab.close()
"""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import hosts

os.environ["PATH"] += ":/usr/sbin:/sbin"
CLIENT_S = 30  # for every call of a client: without munge they hang
TOOLS = ("slurmctld", "slurmd", "sbatch", "munged", "munge")
CONTROLLER = "coordinator"

CONF = """
ClusterName=lab
SlurmctldHost=coordinator({address})
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/munge.sock
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0,sched_min_interval=0
MailProg=/bin/true
JobRequeue=1
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=10
InactiveLimit=0
KillWait=5
WaitTime=0
MessageTimeout=5
TCPTimeout=2
BatchStartTimeout=5
CompleteWait=0
MinJobAge=300
UnkillableStepTimeout=10
PropagateResourceLimits=NONE
{nodes}
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def missing():
    """None, or why there can be no Slurm here."""
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    return f"{', '.join(absent)} not found: packages slurm-wlm and munge" if absent else hosts.missing()


def _child(pid):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            children = []
        if children:
            return int(children[0])
        time.sleep(0.01)
    raise RuntimeError(f"process {pid} has started nothing")


class Lab:
    """Needs hosts.enter() before."""

    def __init__(self, folder, nodes, cpus=2):
        self.folder = pathlib.Path(folder)
        self.net = hosts.Hosts(nodes)
        self.nodes = [f"w{number}" for number in range(nodes)]
        self.holders, self.inits, self.daemons = {}, {}, {}
        for name in ("munge", "state", "run", "log", *(f"spool/{node}" for node in self.nodes)):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "munge").chmod(0o711)
        self._write_names()
        self._write_conf(cpus)
        self._start_munge()
        for name in (CONTROLLER, *self.nodes):
            self.boot(name)
        self.wait_for(lambda: len(self.client("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split()) == nodes, "idle nodes", 60)

    def place(self, name):
        """What hosts.py calls it."""
        return name if name == CONTROLLER else name[1:]

    def _write_names(self):
        """In this mount namespace only."""
        lines = ["127.0.0.1 localhost", *(f"{self.net.address(self.place(n))} {n}" for n in (CONTROLLER, *self.nodes))]
        (self.folder / "hosts").write_text("\n".join(lines) + "\n")
        (self.folder / "resolv.conf").write_text("")
        for name in ("hosts", "resolv.conf"):
            subprocess.run(["mount", "--bind", self.folder / name, os.path.realpath(f"/etc/{name}")], check=True, timeout=30)

    def _write_conf(self, cpus):
        nodes = "\n".join(f"NodeName={node} NodeAddr={self.net.address(self.place(node))} Port=6818 CPUs={cpus} RealMemory=512 "
                          "State=UNKNOWN" for node in self.nodes)
        conf = CONF.format(folder=self.folder, user="root", address=self.net.address(), nodes=nodes)
        (self.folder / "slurm.conf").write_text(conf)
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")  # loaded even when it is not used
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def _start_munge(self):
        place = self.folder / "munge"
        (place / "munge.key").write_bytes(os.urandom(128))
        (place / "munge.key").chmod(0o600)
        with open(self.folder / "log" / "munged.out", "ab") as out:
            self.munged = subprocess.Popen(
                ["munged", "-F", f"--socket={place}/munge.sock", f"--key-file={place}/munge.key", f"--seed-file={place}/seed",
                 f"--pid-file={place}/munged.pid", "--origin=127.0.0.1", "--num-threads=10"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.wait_for(lambda: subprocess.run(["munge", "-n", "-S", place / "munge.sock"], capture_output=True, timeout=10,
                                             check=False).returncode == 0, "munge", 20)

    def wait_for(self, condition, what, seconds=120):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what}: waited {seconds} s in vain\n" + self.tell())
            time.sleep(0.05)

    def tell(self):
        parts = [self.client("squeue", "-o", "%i %j %T %r %N"), self.client("sinfo", "-N", "-o", "%N %T")]
        return "\n".join(parts + [f"== {path.name}\n" + path.read_text(errors="replace")[-1500:]
                                  for path in sorted((self.folder / "log").iterdir())])

    # ---- hosts ----

    def _at(self, name, command):
        return ["nsenter", "-t", str(self.inits[name]), "--net", "--pid", "--uts", "--mount", f"--wd={os.getcwd()}", "--",
                *map(str, command)]

    def boot(self, name):
        """The host's first process holds its namespaces; all others die with it."""
        script = 'hostname "$1"; echo up; sleep infinity & while :; do wait; done'
        holder = subprocess.Popen(self.net.on(self.place(name), ["unshare", "--uts", "--pid", "--fork", "--kill-child=KILL",
                                                                 "--mount-proc", "bash", "-c", script, "-", name]),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        holder.stdout.readline()
        self.holders[name], self.inits[name] = holder, _child(holder.pid)
        self.start_daemon(name)

    def start_daemon(self, name):
        command = ["slurmctld", "-D"] if name == CONTROLLER else ["slurmd", "-D", "-N", name]
        with open(self.folder / "log" / f"{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen(self._at(name, command), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                                  env=self.environment)

    def crash(self, name):
        """All processes of the host end at once, without a word to anybody."""
        self.net.cut(self.place(name))
        self.holders[name].send_signal(signal.SIGKILL)
        self.holders[name].wait()
        self.holders[name].stdout.close()
        self.daemons[name].wait()
        self.net.heal(self.place(name))

    # ---- clients ----

    def on_controller(self, command, **more):
        return subprocess.run(self._at(CONTROLLER, command), env=self.environment, capture_output=True, text=True, check=False,
                              **{"timeout": CLIENT_S, **more})

    def client(self, *words):
        """What it says; a client that does not answer says nothing."""
        try:
            return self.on_controller(words).stdout
        except subprocess.TimeoutExpired:
            return ""

    def is_over(self, *jobs):
        """Whether Slurm says, and not only fails to answer, that none of the jobs is queued or running."""
        done = self.on_controller(["squeue", "-h", "-o", "%A %F"])
        return done.returncode == 0 and not set(jobs) & set(done.stdout.split())

    def hurry(self):
        """A requeued job waits two minutes by itself."""
        for line in self.client("squeue", "-h", "-t", "PENDING", "-o", "%i %r").splitlines():
            if line.endswith(" BeginTime"):
                self.client("scontrol", "update", f"JobId={line.split()[0]}", "StartTime=now")

    def node_of(self, job):
        return self.client("squeue", "-h", "-j", job, "-t", "RUNNING", "-o", "%N").split()

    def close(self):
        self.client("scancel", "-u", "root")
        for name in list(self.holders):
            self.holders[name].kill()
            self.holders[name].wait()
            self.holders[name].stdout.close()
            self.daemons[name].wait()
        self.munged.terminate()
        self.munged.wait()
        self.net.close()
