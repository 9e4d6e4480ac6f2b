"""The table and the verdicts."""


def judge(cells):
    """Every bar whose figures are there. A ratio compares two figures of the same run."""
    find = _Finder(cells)
    bars = []

    def ratio(name, top, bottom, limit):
        if top and bottom:
            _add(bars, name, round(top / bottom, 2), limit, top / bottom >= limit)

    for count in (1, 8, 32):
        ratio(f"sealed Ed25519 sign / echo, {count} conn.", find.rate("sign-sealed", count), find.rate("echo", count), 0.6)
    resident = find.best("sign-resident")
    ratio("resident P-256 sign (best) / direct loop, session object", resident, find.rate("direct p256-session", 1), 0.4)
    for label, count in (("1 thread", 1), ("8 threads", 8), ("8 programs", 8)):
        ratio(f"resident P-256 sign, {count} conn. / p11-kit server, {label}", find.rate("sign-resident", count),
              find.rate(f"p11-kit p256-session, {label}", count), 1.2)
    create = find.rate("create", 32)
    if create:
        _add(bars, "create sealed ED25519, 32 conn., per second", create, 1500, create >= 1500)
    cold = find.cell("cold-start")
    if cold:
        _add(bars, f"cold start to ready, {cold['keys']:,} keys, seconds", cold["ready_s"], 1.0, cold["ready_s"] < 1.0, "<")
        _add(bars, "cold start to first signature, seconds", cold["first_signature_s"], 1.0,
             cold["first_signature_s"] < 1.0, "<")
    memory = find.cell("memory")
    if memory:
        change = memory["greatest_change_percent"]
        _add(bars, f"resident memory over {memory['requests']:,} requests, ± %", change, 5.0, change <= 5.0, "≤")
    return bars


def show(facts, cells, bars):
    print(f"{facts['cores']} cores, {facts['cpu']}, {facts['memory_gib']} GiB, {facts['os']}, Linux {facts['kernel']}")
    print(f"{facts['swift']}\n{facts['date']}, commit {facts['commit']}, {facts['command']}")
    if not facts["quiet"]:
        print(f"The machine was not quiet: load {facts['load_before']} before the run.")
    timed = [cell for cell in cells if "rate" in cell]
    if timed:
        print(f"\n{'cell':<34} {'conn':>4} {'per s':>10} {'p50 µs':>9} {'p99 µs':>9} {'CPU %':>6} {'RSS MiB':>15}")
        for cell in timed:
            rss = f"{cell['rss_before_mib']} → {cell['rss_after_mib']}" if "rss_after_mib" in cell else ""
            print(f"{cell['name']:<34} {cell['connections']:>4} {cell['rate']:>10,.0f} {cell['p50_us']:>9,.1f} "
                  f"{cell['p99_us']:>9,.1f} {cell.get('cpu_percent', ''):>6} {rss:>15}")
    micro = [cell for cell in cells if "nanoseconds" in cell]
    if micro:
        print(f"\n{'in process':<60} {'ns':>9}")
        for cell in micro:
            print(f"{cell['name']:<60} {cell['nanoseconds']:>9,.0f}")
    for cell in cells:
        if "rate" not in cell and "nanoseconds" not in cell:
            print("\n" + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in cell.items()))
    if bars:
        print(f"\n{'bar':<62} {'measured':>10} {'limit':>8}")
        for bar in bars:
            print(f"{bar['name']:<62} {bar['measured']:>10,} {bar['sense']} {bar['limit']:>6,}  {bar['verdict']}")


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

    def best(self, name):
        return max((cell["rate"] for cell in self.cells if cell["name"] == name), default=None)
