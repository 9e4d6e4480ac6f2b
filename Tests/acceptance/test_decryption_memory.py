"""What is left in memory of the messages that callers of the gRPC front have sent."""
import os
from concurrent.futures import ThreadPoolExecutor

from daemon import eventually
from decryption_client import OWN, Node
from decryption_front import Front
from wire import blob

MESSAGE = 512 << 10
STREAMS = 32


def test_long_messages_leave_the_process_with_their_answers(own):
    """Half a megabyte each, many at once from several connections, over and over. The allocator would keep several times what
    was ever under way, a part in the arena of each thread that freed some of it."""
    f = Front(own)
    f.serves()
    nodes = [Node(f"127.0.0.1:{f.port}") for _ in range(4)]
    question = blob(99, os.urandom(MESSAGE))

    def ask(number):
        return nodes[number % len(nodes)].call(OWN, "ListKeys", question, timeout=120)

    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(lambda _: nodes[0].call(OWN, "ListKeys", b""), range(200)))
        before = f.memory
        for _ in range(10):
            assert set(pool.map(ask, range(4 * STREAMS))) == {b""}
    eventually(lambda: f.value("kms_operations_in_flight") == 0 and f.value("kms_decryption_message_bytes") == 0, 60, "rest")
    grown = f.memory - before
    for node in nodes:
        node.close()
    assert grown < 12 << 20, f"{grown >> 10} KiB more than before"
