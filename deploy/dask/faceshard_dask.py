#!/usr/bin/python3
"""Runs a job of faceshard on a Dask cluster: plan here, every unit a task, finish here.

    faceshard_dask.py JOB.yaml --input CASIA-WebFace --output out --scheduler tcp://HOST:8786
    faceshard_dask.py JOB.yaml --input CASIA-WebFace --output out --workers 4        # a cluster on this machine

All machines must see the program, the job file, input, output and models under the same paths. A unit that is there is kept,
so that the same command continues. Needs Debian's python3-distributed and nothing else of faceshard than the program."""
import argparse
import os
import subprocess
import sys
import time

from distributed import Client, LocalCluster, as_completed


def faceshard(command, arguments, check=True):
    done = subprocess.run([*command, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if check and done.returncode:
        sys.stderr.write(done.stderr)
        sys.exit(done.returncode)
    return done


def run_unit(unit, program, arguments, folder, models):
    """A task. What fails is tried again by Dask, on any worker."""
    environment = {**os.environ, **({"FACESHARD_MODELS": models} if models else {})}
    done = subprocess.run([program, "unit", arguments[0], str(unit), *arguments[1:]], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, cwd=folder, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"unit {unit}: exit code {done.returncode}")
    return unit


def tell(line, end="\n"):
    if sys.stderr.isatty():
        print(f"\r{line}\x1b[K", end="" if end is None else end, file=sys.stderr, flush=True)
    elif end is not None:
        print(line, file=sys.stderr, flush=True)


def run_units(client, units, options, arguments):
    """The number of units that have failed in every attempt."""
    tasks = client.map(run_unit, range(units), program=options.faceshard, folder=os.getcwd(), retries=options.retries, pure=False,
                       arguments=[*arguments, "--threads", str(options.threads)], models=os.environ.get("FACESHARD_MODELS"),
                       key=[f"faceshard-{os.getpid()}-{unit}" for unit in range(units)])
    began, failed, told = time.monotonic(), 0, 0.0
    for number, task in enumerate(as_completed(tasks), 1):
        if task.status != "finished":
            failed += 1
            tell(f"unit {tasks.index(task)}: {task.exception()}")
        now = time.monotonic()
        if now - told >= 1 or number == units:
            told = now
            left = (now - began) / number * (units - number)
            tell(f"units {number} of {units}, {failed} failed, {len(client.nthreads())} workers, {left:.0f} s left",
                 "\n" if number == units or not sys.stderr.isatty() else None)
        task.release()
    return failed


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", metavar="JOB.yaml")
    parser.add_argument("--input", help="folder to read, instead of input.path")
    parser.add_argument("--output", help="folder to write, instead of output.path")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any key of the job file")
    parser.add_argument("--scheduler", help="address of a Dask scheduler; without it a cluster is started on this machine")
    parser.add_argument("--workers", type=int, help="without --scheduler: worker processes, one task at a time each")
    parser.add_argument("--threads", type=int, default=1, help="of each task; a Dask worker runs as many tasks as it has threads")
    parser.add_argument("--retries", type=int, default=3, help="further attempts for a unit that fails")
    parser.add_argument("--faceshard", default="faceshard", help="the program, as all machines find it")
    return parser.parse_args()


def main():
    options = parse()
    arguments = [os.path.abspath(options.job)]
    for name in ("input", "output"):
        value = getattr(options, name)
        arguments += [f"--{name}", os.path.abspath(value)] if value else []
    for value in options.set:
        arguments += ["--set", value]
    plan = faceshard([options.faceshard, "plan"], arguments).stdout
    sys.stderr.write(plan)
    if options.scheduler:
        client = Client(options.scheduler, timeout=30)
    else:
        client = Client(LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=None))
    with client:
        failed = run_units(client, int(plan.split()[-1]), options, arguments)
    if failed:
        print(f"{failed} units have failed; the same command tries them again", file=sys.stderr)
        return 3
    done = faceshard([options.faceshard, "finish"], arguments, check=False)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
