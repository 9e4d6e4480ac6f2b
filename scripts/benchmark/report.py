"""The table and the verdicts."""
from . import decryption, tpm

YARDSTICK = "C yardstick: 40,000 BN254 field multiplications"
# 1.6 x 590 µs is 20,000 multiplications of the C loop on the machine where a C library needed 590 µs.
PAIRING_BARS = (("BLS12-381 pairing", "BLS12-381", 20_000), ("BN254 product of two", "BN254", 40_000))


def judge(cells):
    """Every bar whose figures are there. A ratio compares two figures of the same run."""
    find = _Finder(cells)
    bars = []

    def ratio(name, top, bottom, limit):
        if top and bottom:
            _add(bars, name, round(top / bottom, 2), limit, top / bottom >= limit)

    for count in (1, 8, 32):
        ratio(f"sealed Ed25519 sign / echo, {count} conn.", find.rate("sign-sealed", count),
              find.rate("echo", count), 0.6)
    for cell, label in (("sign-zcap", "repeated"), ("sign-zcap-fresh", "fresh")):
        for count in (1, 8, 32):
            ratio(f"sealed Ed25519 sign under ZCAP, {label} / echo, {count} conn.", find.rate(cell, count),
                  find.rate("echo", count), 0.35)
    for name, yardstick, limit in PAIRING_BARS:
        top, bottom = find.nanoseconds(name), find.nanoseconds(f"C yardstick: {yardstick} multiplication")
        if top and bottom:
            _add(bars, f"{name}, C multiplications", round(top / bottom), limit, top / bottom <= limit, "≤")
    ratio("resident P-256 sign (best) / direct loop, session object", find.best("sign-resident"),
          find.rate("direct p256-session", 1), 0.4)
    for label, count in (("1 thread", 1), ("8 threads", 8), ("8 programs", 8)):
        ratio(f"resident P-256 sign, {count} conn. / p11-kit server, {label}", find.rate("sign-resident", count),
              find.rate(f"p11-kit p256-session, {label}", count), 1.2)
    product, yardstick = find.nanoseconds("BN254 product of two, prepared"), find.nanoseconds(YARDSTICK)
    if product and yardstick:
        _add(bars, "BN254 product of two / 40,000 C field multiplications", round(product / yardstick, 2), 1.0,
             product <= yardstick, "≤")
    derive = find.rate("direct bn254-session", 1)
    if derive and product:
        bound = 1 / (1 / derive + 2 * product / 1e9)
        ratio(f"anchored co-signature / derive and two products ({bound:,.0f}/s)",
              find.best("cosign-msg-anchored"), bound, 0.5)
    for name in ("revocation, one process", "revocation, two processes"):
        if find.cell(name):
            median = find.cell(name)["visible_median_ms"]
            _add(bars, f"{name}: ms to the last signature (median)", median, 10, median < 10, "<")
    for operation, (loop, persistent) in tpm.BRIDGE.items():
        ratio(f"TPM {operation} / {tpm.c_cell(loop, True, persistent)}", find.rate(tpm.bridge_cell(operation), 1),
              find.rate(tpm.c_cell(loop, True, persistent), 1), 0.8)
    # What is opened stays open, so the kind of token may not show.
    for count in (1, 8, 32):
        ratio(f"sealed Ed25519 sign on a TPM / on SoftHSM, {count} conn.", find.rate("tpm-sign-sealed", count),
              find.rate(tpm.PEER, count), 0.9)
    stress = find.cell("stress")
    if stress:
        taken = stress["sign_and_verify_s"]
        _add(bars, f"stress: {stress['signatures']} signatures made and verified, seconds", taken, 0.66, taken < 0.66, "<")
    create = find.rate("create", 32)
    if create:
        _add(bars, "create sealed ED25519, 32 conn., per second", create, 1500, create >= 1500)
    cold = find.cell("cold-start")
    if cold:
        for name, figure in (("ready", "ready_s"), ("first signature", "first_signature_s")):
            _add(bars, f"cold start to {name}, {cold['keys']:,} keys, seconds", cold[figure], 1.0,
                 cold[figure] < 1.0, "<")
    memory = find.cell("memory")
    if memory:
        change = memory["greatest_change_percent"]
        _add(bars, f"resident memory over {memory['requests']:,} requests, ± %", change, 5.0, change <= 5.0, "≤")
    decryption.judge(find, ratio, lambda *bar: _add(bars, *bar))
    return bars


def table(facts, cells, bars):
    """Everything as text, for the terminal and for the document."""
    lines = [f"{facts['cores']} cores, {facts['cpu']}, {facts['memory_gib']} GiB, {facts['os']}, "
             f"Linux {facts['kernel']}, fdatasync {facts['fdatasync_us']:,} µs",
             facts["swift"], f"{facts['date']}, commit {facts['commit']}, {facts['command']}"]
    if not facts["quiet"]:
        lines.append(f"The machine was not quiet: load {facts['load_before']} before the run.")
    timed = [cell for cell in cells if "rate" in cell]
    if timed:
        lines += ["", f"{'cell':<34} {'conn':>4} {'per s':>9} {'p50 µs':>9} {'p99 µs':>9} {'CPU %':>6} {'CPU µs':>7} "
                      f"{'RSS MiB':>15}"]
        lines += [_timed(cell) for cell in timed]
    micro = [cell for cell in cells if "nanoseconds" in cell]
    if micro:
        lines += ["", f"{'in process':<60} {'ns':>9}"]
        lines += [f"{cell['name']:<60} {cell['nanoseconds']:>9,.0f}" for cell in micro]
    for cell in cells:
        if "rate" not in cell and "nanoseconds" not in cell:
            lines += ["", ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in cell.items())]
    if bars:
        lines += ["", f"{'bar':<60} {'measured':>9} {'limit':>8}"]
        lines += [f"{bar['name']:<60} {bar['measured']:>9,} {bar['sense']} {bar['limit']:>6,}  {bar['verdict']}"
                  for bar in bars]
    return "\n".join(line.rstrip() for line in lines)


def replace_figures(document, text):
    """Puts `text` between the marks of a Markdown file; the rest stays."""
    begin, end = "<!-- figures -->", "<!-- end of figures -->"
    before, _, rest = document.read_text().partition(begin)
    after = rest.partition(end)[2]
    document.write_text(f"{before}{begin}\n```text\n{text}\n```\n{end}{after}")


def _timed(cell):
    rss = f"{cell['rss_before_mib']} → {cell['rss_after_mib']}" if "rss_after_mib" in cell else ""
    return (f"{cell['name']:<34} {cell['connections']:>4} {cell['rate']:>9,.0f} {cell['p50_us']:>9,.1f} "
            f"{cell['p99_us']:>9,.1f} {cell.get('cpu_percent', ''):>6} {cell.get('cpu_us', ''):>7} {rss:>15}")


def _add(bars, name, measured, limit, passed, sense="≥"):
    bars.append({"name": name, "measured": measured, "limit": limit, "sense": sense,
                 "verdict": "pass" if passed else "falls short"})


class _Finder:
    def __init__(self, cells):
        self.cells = cells

    def cell(self, name):
        return next((cell for cell in self.cells if cell["name"] == name), None)

    def rate(self, name, connections):
        for cell in self.cells:
            if cell["name"] == name and cell.get("connections") == connections:
                return cell["rate"]
        return None

    def timed(self, name, connections):
        return next((cell for cell in self.cells
                     if cell["name"] == name and cell.get("connections") == connections), None)

    def nanoseconds(self, name):
        return (self.cell(name) or {}).get("nanoseconds")

    def best(self, name):
        return max((cell["rate"] for cell in self.cells if cell["name"] == name), default=None)
