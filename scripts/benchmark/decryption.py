"""The cells of the decryption API: questions with proofs at a header that is verified already."""
import json
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from .loops import run_loop
from .processes import free_port
from .tools import BenchFailure

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = ROOT / ".build" / "acceptance-venv" / "bin" / "python"
STATE = ROOT / ".build" / "bench-decrypt-memory.json"
TOKEN_LOOP = "direct secp256k1-session"
TYPES = ("bool", "u8", "u64")
CELLS = tuple(f"{kind}-{name}" for kind in ("public", "user") for name in TYPES) + ("gb-u64",)
LADDER = ("public-u8", "public-u64")
STEPS = (25, 50, 100, 150, 200, 300, 400, 500, 600, 800, 1000, 1250, 1500, 2000)
KEPT_PACE = 0.98
NAMES = ("decrypt", "decrypt-parts", "decrypt-ladder", "decrypt-memory")
# A hundred thousand questions of half a megabyte: half an hour by itself.
RARE = ("decrypt-memory",)


class World:
    """The chain and the questions, in a process of their own: their packages are the acceptance tests'."""

    def __init__(self, scratch):
        if not PYTHON.exists():
            raise BenchFailure(f"{PYTHON} is missing: the cells of decryption use the packages of `scripts/test acceptance`")
        self.folder = scratch / "decryption"
        self.folder.mkdir(exist_ok=True)
        self.log = open(scratch / "decryption-world.log", "ab")
        self._process = subprocess.Popen(
            [str(PYTHON), "-B", str(Path(__file__).with_name("decryption_world.py")), str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, start_new_session=True)
        line = self._process.stdout.readline()
        if not line:
            self.end()
            raise BenchFailure(f"the chain did not start:\n{Path(self.log.name).read_text()[-2000:]}")
        found = json.loads(line)
        self.settings, self.questions, self.key = found["settings"], found["questions"], found["key"]

    def check(self, port):
        """Every question once; the head of the chain may still be on its way."""
        answer = ""
        deadline = time.monotonic() + 60
        while answer != "ok" and time.monotonic() < deadline:
            if answer:
                time.sleep(0.5)
            self._process.stdin.write(f"{port}\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline().strip()
        if answer != "ok":
            raise BenchFailure(f"a question was not answered rightly: {answer}")

    def end(self):
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        self.log.close()


class Decryption:
    def __init__(self, run):
        self.run, self.settings, self.progress = run, run.settings, run.progress

    @staticmethod
    def steps(settings, names):
        return (("decrypt" in names) * (len(CELLS) * len(settings.connections) + 1) * settings.rounds
                + ("decrypt-parts" in names) + ("decrypt-ladder" in names) * len(LADDER) + ("decrypt-memory" in names))

    def measure(self, names):
        if not any(name in names for name in NAMES):
            return
        world = World(self.run.scratch)
        try:
            if "decrypt-parts" in names:
                self._parts(world)
            if "decrypt" in names or "decrypt-ladder" in names:
                with self._daemon(world) as (daemon, port):
                    if "decrypt" in names:
                        self._cells(world, daemon, port)
                    if "decrypt-ladder" in names:
                        self._ladders(world, daemon, port)
            if "decrypt-memory" in names:
                self._memory(world)
        finally:
            world.end()

    @contextmanager
    def _daemon(self, world):
        port = free_port()
        with self.run._daemon() as daemon:
            pass  # the keys are on the token now; importing needs the daemon stopped
        self._import(world)
        with self.run._daemon(KMS_DECRYPTION_HOST=f"127.0.0.1:{port}", **world.settings) as daemon:
            world.check(port)
            yield daemon, port

    def _import(self, world):
        """Takes the key into the home, once for a run."""
        token = self.run.token
        kmsd = str(self.run.binaries / "kmsd")
        environment = token.environment(KMSD_HOME=str(token.home), KMS_TOKEN_URI=token.uri)
        shown = subprocess.run([kmsd, "decryption", "key", "show", "bench"], env=environment, capture_output=True, timeout=60)
        if shown.returncode == 0:
            return
        file = self.run.scratch / "client.key"
        shutil.copyfile(world.key, file)
        file.chmod(0o600)
        taken = subprocess.run(
            [kmsd, "decryption", "key", "import", "--name", "bench", "--format", "raw-0.6", "--published", str(file)],
            env=environment, capture_output=True, text=True, timeout=60)
        file.unlink()
        if taken.returncode != 0:
            raise BenchFailure(f"kmsd decryption key import ended with {taken.returncode}: {taken.stderr.strip()}")

    def _load(self, world, port, name, streams, seconds, **more):
        question = world.questions[name]
        command = [str(self.run.binaries / "KMSBench"), "grpc-load", "--port", str(port), "--path", question["path"],
                   "--message", question["file"], "--streams", str(streams), "--seconds", str(seconds)]
        if question["id_offset"] is not None:
            command += ["--id-offset", str(question["id_offset"])]
        for option, value in more.items():
            command += [f"--{option}", str(value)]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120)
        if finished.returncode != 0:
            raise BenchFailure(f"grpc-load {name} failed: {finished.stderr.strip()}")
        return json.loads(finished.stdout)

    def _observed(self, world, daemon, port, name, streams):
        rss, cpu, started = daemon.resident_kib(), daemon.cpu_seconds(), time.monotonic()
        report = self._load(world, port, name, streams, self.settings.seconds)
        elapsed, used = time.monotonic() - started, daemon.cpu_seconds() - cpu
        return {"rate": round(report["rate"], 1), "p50_us": round(report["p50"], 1), "p99_us": round(report["p99"], 1),
                "cpu_percent": round(used / elapsed * 100), "cpu_us": round(used / max(1, report["operations"]) * 1e6, 1),
                "rss_before_mib": round(rss / 1024, 1), "rss_after_mib": round(daemon.resident_kib() / 1024, 1)}

    def _cells(self, world, daemon, port):
        """The token's bare loop takes turns with the questions."""
        from .phases import median
        takes = {(name, count): [] for name in CELLS for count in self.settings.connections}
        bare = []
        for _ in range(self.settings.rounds):
            self.progress.step(TOKEN_LOOP)
            bare.append(run_loop(self.run.binaries, self.run.token, "secp256k1-session", self.settings.loop_seconds))
            for name, count in takes:
                self.progress.step(f"decrypt {name}, {count} streams")
                takes[name, count].append(self._observed(world, daemon, port, name, count))
        if not any(cell["name"] == TOKEN_LOOP for cell in self.run.cells):
            self.run.cells.append({"name": TOKEN_LOOP, "connections": 1, **median(bare)})
        for (name, count), results in takes.items():
            self.run.cells.append({"name": f"decrypt {name}", "connections": count, **median(results)})

    def _ladders(self, world, daemon, port):
        """Questions at a pace of their own, step by step, until too few are answered in their time."""
        for name in LADDER:
            self.progress.step(f"ladder {name}")
            cell = {"name": f"decrypt-ladder {name}", "step_s": self.settings.ladder_seconds, "kept_per_s": 0}
            for rate in STEPS:
                self.progress.note(f"ladder {name}, {rate} a second")
                report = self._load(world, port, name, 64, self.settings.ladder_seconds, rate=rate)
                # The last questions of a step are under way when it ends; the pace is that of the answers.
                share = report["operations"] / (rate * max(self.settings.ladder_seconds, report["elapsed"]))
                cell |= {f"{rate}_per_s": f"{min(1, share):.1%}, p50 {report['p50']:,.0f} µs, p99 {report['p99']:,.0f} µs"}
                if share < KEPT_PACE:
                    break
                cell["kept_per_s"] = rate
            self.run.cells.append(cell)

    def _parts(self, world):
        self.progress.step("parts of a decryption")
        folder = world.folder
        command = [str(self.run.binaries / "KMSBench"), "decryption-parts", "--key", world.key,
                   "--ciphertext", str(folder / "u64.bin"), "--commit", str(folder / "commit.json")]
        for page in (1, 2):
            command += ["--validators", str(folder / f"validators-{page}.json")]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if finished.returncode != 0:
            raise BenchFailure(f"decryption-parts failed: {finished.stderr.strip()}")
        self.run.cells += [json.loads(line) for line in finished.stdout.splitlines()]

    def _memory(self, world):
        """Resident memory while questions of half a megabyte come, against its value after a warm-up.

        What was measured stays in `.build/bench-decrypt-memory.json` until the count is reached, so a run that was cut off
        is gone on with: by a new process, whose memory is compared with its own value after its own warm-up.
        """
        self.progress.step("decrypt-memory")
        wanted, slice_, warm_up = self.settings.decryptions, self.settings.decryptions // 100, self.settings.decryptions // 20
        state = {"wanted": wanted, "commit": _commit(), "made": 0, "change": 0.0, "resident_kib": []}
        if STATE.exists():
            kept = json.loads(STATE.read_text())
            if (kept.get("wanted"), kept.get("commit")) == (state["wanted"], state["commit"]):
                state = kept
        started = time.monotonic()
        with self._daemon(world) as (daemon, port):
            self._slice(world, port, warm_up)
            baseline = daemon.resident_kib()
            while state["made"] < wanted:
                self._slice(world, port, slice_)
                state["made"] += slice_
                resident = daemon.resident_kib()
                state["resident_kib"].append(resident)
                state["change"] = max(state["change"], abs(resident - baseline) / baseline * 100)
                STATE.write_text(json.dumps(state) + "\n")
                self.progress.note(f"decrypt-memory, {state['made']:,} of {wanted:,}, ± {state['change']:.1f} %")
            cell = {"name": "decrypt-memory", "questions": state["made"], "seconds": round(time.monotonic() - started),
                    "rss_before_mib": round(baseline / 1024, 1), "rss_after_mib": round(daemon.resident_kib() / 1024, 1),
                    "greatest_change_percent": round(state["change"], 2)}
        STATE.unlink()
        self.run.cells.append(cell)

    def _slice(self, world, port, count):
        report = self._load(world, port, "public-u64", 8, 3_000, most=count)
        if report["operations"] != count:
            raise BenchFailure(f"{report['operations']} of {count} questions were answered")


def judge(find, ratio, add):
    """The bars of these cells."""
    for kind in ("public", "user"):
        for name in TYPES:
            ratio(f"decrypt {kind}-{name} (best) / {TOKEN_LOOP}", find.best(f"decrypt {kind}-{name}"), find.rate(TOKEN_LOOP, 1),
                  0.6)
    one = find.timed("decrypt public-u64", 1)
    if one:
        add("decrypt public-u64, one stream, p50, ms", round(one["p50_us"] / 1000, 2), 3.0, one["p50_us"] < 3000, "<")
    ours, theirs = (find.nanoseconds(name) for name in (
        "LWE block, 2,048 words", "C yardstick: LWE inner product, 2,048 words"))
    if ours and theirs:
        add("LWE block / the same in C", round(ours / theirs, 2), 1.2, ours / theirs <= 1.2, "≤")
    copies = find.cell("u64 ciphertext, from the message to its blocks")
    if copies:
        times = copies["bytes_allocated"] / copies["bytes"]
        add("u64 ciphertext: bytes allocated / its bytes", round(times, 2), 1.05, times <= 1.05, "≤")
    memory = find.cell("decrypt-memory")
    if memory:
        change = memory["greatest_change_percent"]
        add(f"resident memory over {memory['questions']:,} decryptions of 0.5 MB, ± %", change, 5.0, change <= 5.0, "≤")


def _commit():
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return found.stdout.strip()
