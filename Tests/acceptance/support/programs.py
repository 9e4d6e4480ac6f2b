"""Programs of others that tests start on the loopback interface and end by their ids."""
import socket
import subprocess

import pytest
from daemon import eventually, free_port


def run(*arguments, seconds=60):
    """Exit code, and what was said on both streams."""
    result = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, timeout=seconds)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def started():
    """Starts programs and ends each by its id."""
    running = []

    def start(*arguments):
        running.append(subprocess.Popen([str(argument) for argument in arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def wait_for(process, port):
    """Until the program listens there."""
    def listens():
        assert process.poll() is None, process.stdout.read()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    eventually(listens, 20, f"{process.args[0]}'s start")
    return port


def nginx(started, folder, locations, *, more=""):
    """nginx on a port of its own with these locations; gives the port."""
    port = free_port()
    folder = folder / f"nginx-{port}"
    (folder / "logs").mkdir(parents=True)
    paths = "".join(f"  {name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/logs/error.log;\nevents {{}}\n"
        f"http {{\n{paths}  access_log off;\n{more}\n  server {{\n    listen 127.0.0.1:{port};\n{locations}\n  }}\n}}\n")
    return wait_for(started("nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "logs" / "start.log"), port)


def haproxy(started, folder, sections, port, *, more=""):
    """HAProxy with these sections, of which one listens on `port`."""
    configuration = folder / f"haproxy-{port}.cfg"
    configuration.write_text(f"global\n{more}\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 60s\n"
                             f"  timeout server 60s\n  timeout check 60s\n{sections}\n")
    return wait_for(started("haproxy", "-db", "-f", configuration), port)
