"""How long the cells run."""
from typing import NamedTuple


class Settings(NamedTuple):
    rounds: int  # every cell runs this often, interleaved with the others; the median round counts
    seconds: int  # length of one cell
    connections: tuple
    loop_seconds: float  # length of one direct PKCS #11 loop
    memory_requests: int
    cold_keys: int
    cold_starts: int
    split_keys: int
    revocations: int
    tpm_operations: int
    ladder_seconds: int  # one step of a ladder
    decryptions: int  # questions of the cell decrypt-memory


FULL = Settings(rounds=3, seconds=4, connections=(1, 8, 32), loop_seconds=3.0, memory_requests=1_000_000,
                cold_keys=100_000, cold_starts=3, split_keys=100_000, revocations=100,
                tpm_operations=200_000, ladder_seconds=30, decryptions=100_000)
QUICK = Settings(rounds=1, seconds=2, connections=(1, 8, 32), loop_seconds=1.0, memory_requests=100_000,
                 cold_keys=100_000, cold_starts=1, split_keys=5_000, revocations=30,
                 tpm_operations=20_000, ladder_seconds=3, decryptions=2_000)
