"""One load of a route with wrk."""
import json
import subprocess

from .tools import BenchFailure

SCRIPT = """
wrk.method = "{method}"
wrk.headers["Content-Type"] = "application/json"
{headers}
{paths}
wrk.body = [==[{body}]==]
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {{"requests": %d, "microseconds": %d, "p50_us": %.1f, "p99_us": %.1f, "refused": %d, "broken": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
"""

ROTATING = """
local paths = {{{list}}}
local turn = 0
function request()
  turn = turn + 1
  return wrk.format(nil, paths[turn % #paths + 1])
end
"""

# Made once, so that wrk formats none of them while it measures.
ROTATING_HEADER = """
local requests = {{}}
local turn = 0
function init()
  for value in io.lines("{file}") do
    wrk.headers["{name}"] = value
    requests[#requests + 1] = wrk.format(nil, "{path}")
  end
end
function request()
  turn = turn + 1
  return requests[turn % #requests + 1]
end
"""


def run_wrk(scratch, base, paths, body, connections, seconds, method="POST", headers=None):
    """Loads `paths` in turn; every answer must be a success. A header whose value is a list has these in turn."""
    rotation = ROTATING.format(list=", ".join(f'"{path}"' for path in paths)) if len(paths) > 1 else ""
    script = scratch / "load.lua"
    for name, values in (headers or {}).items():
        if isinstance(values, list):
            file = scratch / "values.txt"
            file.write_text("\n".join(values) + "\n")
            rotation = ROTATING_HEADER.format(file=file, name=name, path=paths[0])
    headers = {name: value for name, value in (headers or {}).items() if not isinstance(value, list)}
    lines = "\n".join(f'wrk.headers["{name}"] = [==[{value}]==]' for name, value in headers.items())
    script.write_text(SCRIPT.format(method=method, body=body, paths=rotation, headers=lines))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script),
               base + paths[0]]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    lines = [line for line in finished.stdout.splitlines() if line.startswith("RESULT ")]
    if finished.returncode != 0 or not lines:
        raise BenchFailure(f"wrk failed on {base}{paths[0]}: {finished.stderr.strip()}")
    result = json.loads(lines[0].removeprefix("RESULT "))
    if result["refused"] or result["broken"] or not result["requests"]:
        raise BenchFailure(f"{paths[0]} at {connections} connections: {result['refused']} answers were not 2xx, "
                           f"{result['broken']} connections broke, {result['requests']} requests")
    result["rate"] = round(result["requests"] / (result["microseconds"] / 1e6), 1)
    return result
