"""What lies in deploy/: options that it names exist, scripts are shell, and where their tools are, systemd and kubectl read
the rest. It runs nothing of it: slurm_test.py, ssh_test.py and dask_test.py do."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_test  # noqa: E402

try:
    import kubernetes.client
    import yaml
except ImportError:
    kubernetes = None

FACESHARD = run_test.FACESHARD
DEPLOY = pathlib.Path(__file__).resolve().parent.parent / "deploy"
KINDS = {"Job": "V1Job", "Service": "V1Service", "PersistentVolumeClaim": "V1PersistentVolumeClaim", "ConfigMap": "V1ConfigMap",
         "Secret": "V1Secret"}
NEWER = {"podFailurePolicy": {"rules": [{"action": "", "onExitCodes": {"containerName": "", "operator": "", "values": []},
                                         "onPodConditions": [{"type": ""}]}]}}  # than the client library: Kubernetes 1.26


def run(*words, **more):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=120, check=False, **more)


def check_newer(test, value, shape, path):
    if isinstance(value, dict):
        for key, part in value.items():
            test.assertIn(key, shape, path)
            check_newer(test, part, shape[key], f"{path}.{key}")
    elif isinstance(value, list) and shape:
        for part in value:
            check_newer(test, part, shape[0], path)


def check_fields(test, value, kind, path):
    """Every field is one of the kind's, and a list or a map where that is asked for."""
    for opening, container in (("list[", list), ("dict(str, ", dict)):
        if kind.startswith(opening):
            test.assertIsInstance(value, container, path)
            parts = value if container is list else value.values()
            for part in parts:
                check_fields(test, part, kind[len(opening):-1], path)
            return
    model = getattr(kubernetes.client, kind, None)
    if model is None:
        test.assertNotIsInstance(value, (dict, list), path)
        return
    test.assertIsInstance(value, dict, path)
    names = {outside: inside for inside, outside in model.attribute_map.items()}
    for key, part in value.items():
        if key in NEWER:
            check_newer(test, part, NEWER[key], f"{path}.{key}")
            continue
        test.assertIn(key, names, f"{path}: a {kind} has no field {key}")
        check_fields(test, part, model.openapi_types[names[key]], f"{path}.{key}")


class Deploy(run_test.JobCase):
    def test_every_option_that_is_named_exists(self):
        named = 0
        helps = {}
        for path in sorted(DEPLOY.rglob("*")):
            if not path.is_file() or path.suffix in (".cmake", ".json", ".1"):
                continue
            text = path.read_text().replace("\\\n", " ").replace("@FACESHARD@", "faceshard").replace('"$program"', "faceshard")
            for command, rest in re.findall(r"(?:^|[\s`/])faceshard (unit|plan|finish|worker|coordinator|slurm|keygen|run) ([^`\n]*)", text):
                for option in re.findall(r"--[a-z][a-z-]*", rest):
                    helps.setdefault(command, run(FACESHARD, command, "--help").stdout)
                    self.assertRegex(helps[command], rf"(?m)^  {option}\b", f"{path}: faceshard {command}")
                    named += 1
        self.assertGreater(named, 15)

    def test_scripts_are_shell(self):
        run_test.write_people(self.input, 1)
        scripts = [(path.name, path.read_text()) for path in (DEPLOY / "install-deps", DEPLOY / "try-packages", DEPLOY / "container" / "runtime-packages")]
        for more in ((), ("--without-coordinator",)):
            done = run(FACESHARD, "slurm", self.job, "--input", self.input, "--output", self.folder / "it's out", "--dry-run", "--mem",
                       "2G", *more, env={**os.environ, "FACESHARD_MODELS": "a b"})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertFalse((self.folder / "it's out").exists())
            self.assertNotRegex(done.stdout, r"@[A-Z]+@")
            scripts += [(name, script) for name, script in re.findall(r"(?ms)^# ---- (\S+.*?sbatch)\n(.*?)(?=^# ----|\Z)", done.stdout)]
        self.assertEqual(len(scripts), 8)
        for name, script in scripts:
            done = run("bash", "-n", input=script)
            self.assertEqual(done.returncode, 0, f"{name}: {done.stderr}")

    def test_the_runtime_packages_of_the_container_are_those_of_the_libraries(self):
        if run("dpkg", "-S", "/bin/sh").returncode:
            self.skipTest("no Debian")
        packages = run(DEPLOY / "container" / "runtime-packages", FACESHARD).stdout.split()
        self.assertIn("libc6", packages)
        self.assertTrue({"libzmq5", "libuv1", "libdlib-data"} <= set(packages), packages)
        self.assertFalse([package for package in packages if package.endswith("-dev")])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here: the units of deploy/systemd are not read")
    def test_systemd_reads_the_units(self):
        unit = self.folder / "faceshard-worker@.service"
        unit.write_text((DEPLOY / "systemd" / unit.name).read_text().replace("/usr/bin/faceshard", FACESHARD))
        done = run("systemd-analyze", "verify", "--man=no", unit)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def overlay(self):
        """The example, with the keys that its users make."""
        shutil.copytree(DEPLOY / "kubernetes", self.folder / "kubernetes")
        example = self.folder / "kubernetes" / "overlays" / "example"
        run(FACESHARD, "keygen", example / "keys", "--name", "worker")
        (example / "keys" / "token").write_text("0123456789abcdef\n")
        return example

    @unittest.skipUnless(kubernetes, "no python3-kubernetes here: fields of deploy/kubernetes are not checked")
    def test_kubernetes_knows_every_field(self):
        files = [path for path in (DEPLOY / "kubernetes").rglob("*.yaml") if path.name not in ("kustomization.yaml", "job.yaml")]
        texts = [path.read_text() for path in files]
        if shutil.which("kubectl"):
            done = run("kubectl", "kustomize", self.overlay())
            if 'unknown field "labels"' in done.stderr:
                print("skipped: this kubectl is too old for `labels`: the example is not rendered", flush=True)
            else:
                self.assertEqual(done.returncode, 0, done.stderr)
                texts.append(done.stdout)
                self.assertIn("registry.example/faceshard:0.1.0", done.stdout)
                self.assertEqual(done.stdout.count("kind: Secret"), 2)
        else:
            print("skipped: no kubectl here: the example is not rendered", flush=True)
        self.assertGreaterEqual(len(texts), 4)
        for document in (part for text in texts for part in yaml.safe_load_all(text)):
            check_fields(self, document, KINDS[document["kind"]], document["kind"])

    def test_the_example_job_of_kubernetes_is_a_job(self):
        (self.folder / "in").mkdir()
        done = run(FACESHARD, "run", DEPLOY / "kubernetes" / "overlays" / "example" / "job.yaml", "--explain")
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
