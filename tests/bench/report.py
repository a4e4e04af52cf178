#!/usr/bin/env python3
"""Makes docs/performance.md and its plots (SVG) from the JSON of compare.py.

report.py RESULTS.json [--out docs/performance.md]
"""
import argparse
import json
import math
import pathlib
import re
from xml.sax.saxutils import escape

COLOURS = {"postkeep": "#2b6cb0", "dovecot": "#c05621", "dovecot-hibernating": "#d69e2e"}


# --- what a figure is worth ---

def limit_of(report, name):
    """(value, unit of the workload's figure in it) of a machine's limit, or None."""
    limits = report["limits"]
    if name.startswith("durable-"):
        _, threads, octets = name.split("-")
        return limits["durable_files_per_second"][octets][threads]
    simple = {"loopback": ("loopback_octets_per_second", 1e6), "aes": ("aes_256_gcm_octets_per_second", 1e6),
              "signatures": ("ecdsa_p256_signatures_per_second", 1),
              "round-trips": ("loopback_round_trips_per_second", 1)}
    if name in simple:
        key, scale = simple[name]
        return limits[key] / scale if key in limits else None
    return None


def share_of_limit(report, entry):
    """Of what the machine can do, where that has the unit of the figure."""
    limit = limit_of(report, entry.get("limit", ""))
    comparable = entry["unit"] in ("MB/s", "messages/s", "deliveries/s", "/s")
    return entry["servers"]["postkeep"]["median"] / limit if limit and comparable else None


def part_reached(report, entry, part):
    """One of the alternatives of a goal; None: it cannot be told."""
    if match := re.fullmatch(r"([\d.]+)x", part):
        return entry["ratio"] >= float(match.group(1)) if entry.get("ratio") is not None else None
    if match := re.fullmatch(r"([\d.]+) % of the disk", part):
        share = share_of_limit(report, entry)
        return share * 100 >= float(match.group(1)) if share is not None else None
    match = re.fullmatch(r"([\d.]+) (ms|KiB)", part)
    return entry["servers"]["postkeep"]["median"] <= float(match.group(1)) if match else None


def is_reached(report, entry):
    """None: there is nothing to compare with."""
    verdicts = [part_reached(report, entry, part) for part in entry["goal"].split(" or ")]
    return True if True in verdicts else None if None in verdicts else False


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


def figure(found):
    if found is None:
        return ""
    text = number(found["median"])
    return text if found["min"] == found["max"] else f"{text} ({number(found['min'])} to {number(found['max'])})"


# --- tables ---

def row(report, entry):
    ours, theirs = entry["servers"]["postkeep"], entry["servers"].get("dovecot")
    reached = {True: "yes", False: "**no**", None: ""}[is_reached(report, entry)]
    ratio = f"{entry['ratio']:.2f}" if entry.get("ratio") is not None else ""
    key = "server_cpu_us_per_operation"
    cpu = number(ours[key]) + (f" : {number(theirs[key])}" if theirs and key in theirs else "") if key in ours else ""
    share = share_of_limit(report, entry)
    busy = " *" if ours["client_cpu_share"] > 0.9 else ""
    again = " †" if entry.get("again") else ""
    cells = [f"`{entry['name']}`{again}", entry["unit"], entry["goal"], figure(ours) + busy, figure(theirs), ratio, reached, cpu,
             f"{share:.0%}" if share is not None else ""]
    return "| " + " | ".join(cells) + " |"


def goals_table(report):
    lines = ["| work | unit | goal | Postkeep | Dovecot | ratio | reached | server CPU µs an operation | of the machine's limit |",
             "|---|---|---|---|---|---|---|---|---|"]
    return lines + [row(report, entry) for entry in report["results"] if "servers" in entry]


def idle_table(report):
    lines = ["| connections | server | KiB each | after a burst | by MemAvailable, client included | notice p50, p99 (ms) |",
             "|---|---|---|---|---|---|"]
    for entry in report["results"]:
        for name, found in entry.get("servers", {}).items() if "idle-" in entry["name"] else ():
            more = found["rounds"][-1]["more"]
            notice = more["notice_ms"]
            lines.append(f"| `{entry['name']}` | {name} | {figure(found)} | {number(more['kib_each_after_burst'])} | "
                         f"{number(more['system_kib_each'])} | {number(notice['p50'])}, {number(notice['p99'])} |")
    return lines


def growth_table(report):
    """Of the servers in turn, a column a number of messages."""
    sizes = list(report["growth"])
    lines = ["| work | unit | server | " + " | ".join(f"{int(size):,}" for size in sizes) + " |", "|---" * (3 + len(sizes)) + "|"]
    by_name = {size: {entry["name"]: entry for entry in report["growth"][size] if "servers" in entry} for size in sizes}
    for entry in report["growth"][sizes[0]]:
        for server in entry.get("servers", {}):
            cells = [by_name[size].get(entry["name"], {"servers": {}})["servers"].get(server) for size in sizes]
            lines.append(f"| `{entry['name']}` | {entry['unit']} | {server} | " + " | ".join(map(figure, cells)) + " |")
    return lines


def background_table(report):
    lines = ["| work | Postkeep, µs an operation | Dovecot |", "|---|---|---|"]
    key = "background_cpu_us_per_operation"
    for entry in report["results"]:
        found = entry.get("servers", {})
        if any(server.get(key, 0) > 0 for server in found.values()):
            theirs = found.get("dovecot", {})
            words = number(theirs[key]) if key in theirs else ""
            lines.append(f"| `{entry['name']}` | {number(found['postkeep'].get(key, 0))} | {words} |")
    return lines if len(lines) > 2 else []


def limits_lines(report):
    limits = report["limits"]
    durable = [f"- Durable files of {int(octets) // 1024} KiB (write, fsync, rename, fsync of the directory) a second, by threads: " +
               ", ".join(f"{number(value)} on {threads}" for threads, value in found.items()) + "."
               for octets, found in limits["durable_files_per_second"].items()]
    return [*durable,
            f"- Files of 7 KiB from the page cache: {number(limits['cached_files_octets_per_second'] / 1e6)} MB/s.",
            f"- Loopback TCP: {number(limits['loopback_octets_per_second'] / 1e6)} MB/s; "
            f"AES-256-GCM on one core: {number(limits['aes_256_gcm_octets_per_second'] / 1e6)} MB/s; "
            f"memory copy: {number(limits['memory_copy_octets_per_second'] / 1e6)} MB/s.",
            *([f"- Loopback round trips with 7 KiB: {number(limits['loopback_round_trips_per_second'])}/s."]
              if "loopback_round_trips_per_second" in limits else []),
            f"- ECDSA P-256 signatures on one core: {number(limits['ecdsa_p256_signatures_per_second'])}/s."]


# --- plots ---

def svg(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>\n")


def text(x, y, words, anchor="start", colour="#222"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(str(words))}</text>'


def bar(x, y, width, height, colour):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}" fill="{colour}"/>'


def upright(x, top, bottom, colour, width):
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="{colour}" stroke-width="{width}"/>'


def ratio_plot(report):
    """A bar a workload, from 1 to the right where Postkeep is better; the scale is logarithmic. A mark stands at the goal."""
    entries = [entry for entry in report["results"] if entry.get("ratio")]
    if not entries:
        return None
    left, right, step = 210, 760, 20
    goals = [float(match.group(1)) if (match := re.match(r"([\d.]+)x", entry["goal"])) else None for entry in entries]
    values = [entry["ratio"] for entry in entries] + [goal for goal in goals if goal]
    low, high = min(0.5, *values), max(2, *values)

    def place(value):
        return left + (right - left) * math.log(value / low) / math.log(high / low)

    parts = [text(left, 18, "times as good as Dovecot (mark: goal)")]
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for value in (10 ** power, 3 * 10 ** power):
            if low <= value <= high:
                parts.append(upright(place(value), 28, 40 + step * len(entries), "#ddd", 1))
                parts.append(text(place(value), 40 + step * len(entries) + 14, f"{value:g}", "middle", "#666"))
    for index, (entry, goal) in enumerate(zip(entries, goals)):
        y = 34 + step * index
        at, one = place(entry["ratio"]), place(1)
        parts += [text(left - 8, y + 12, entry["name"], "end"),
                  bar(min(at, one), y, abs(at - one), 14, COLOURS["postkeep"] if entry["ratio"] >= 1 else COLOURS["dovecot"]),
                  text(max(at, one) + 6, y + 12, f"{entry['ratio']:.2f}", colour="#666")]
        if goal:
            parts.append(upright(place(goal), y - 2, y + 16, "black", 2))
    return svg(840, 70 + step * len(entries), parts)


def bars_plot(report, prefix, title):
    """The figures of some workloads of one unit side by side, a group a workload."""
    entries = [entry for entry in report["results"] if entry["name"].startswith(prefix) and "servers" in entry]
    if not entries:
        return None
    most = max(found["median"] for entry in entries for found in entry["servers"].values())
    parts, y, left, width = [text(150, 18, f"{title} ({entries[0]['unit']})")], 30, 150, 500
    for entry in entries:
        for index, (name, found) in enumerate(entry["servers"].items()):
            parts += [text(left - 8, y + 11, entry["name"], "end") if index == 0 else "",
                      bar(left, y, width * found["median"] / most if most > 0 else 0, 13, COLOURS[name]),
                      text(left + width * found["median"] / most + 6, y + 11, f"{number(found['median'])} {name}", colour="#666")]
            y += 16
        y += 8
    return svg(840, y + 10, parts)


def write_plots(report, folder):
    """[(file name, what it shows)] of those that there are figures for."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = [("ratios.svg", "Ratio to Dovecot of every workload", ratio_plot(report)),
             ("idle.svg", "Memory of an idle connection", bars_plot(report, "idle-", "Memory of an idle connection")),
             ("lmtp.svg", "Deliveries by size and connections", bars_plot(report, "lmtp-", "Deliveries by LMTP, by size and connections")),
             ("bodies.svg", "FETCH BODY[]", bars_plot(report, "fetch-body", "FETCH BODY[]"))]
    made = [(name, words) for name, words, plot in plots if plot]
    for name, _, plot in plots:
        if plot:
            (folder / name).write_text(plot)
    return made


# --- the page ---

def page(report, plots, folder):
    machine, plan = report["machine"], report["plan"]
    versions = ", ".join(report["versions"].values())
    command = re.sub(r"--(bench|binary|json|folder) [^ ]+ ?", "", report["command"]).strip()
    lines = ["# Performance", "",
             "Written by `tests/bench/report.py` from the results of `./dev bench compare`; [how it is measured](testing.md#figures).", "",
             f"{versions}; {machine['cpu']}, {machine['cores']} cores, {machine['memory_kib'] / 2**20:.0f} GiB, Linux {machine['kernel']}; "
             f"{report['date']}, {report['seconds'] / 60:.0f} minutes; load when it began {machine['load_at_start']:.1f}. "
             f"Command: `compare.py {command}`.", "",
             f"Each figure is the median of {plan['rounds']} rounds (memory of idle connections: of one), in which the servers "
             f"took turns, with the least and the most beside it; a phase lasts {plan['seconds']} s where it is a time that is given. "
             f"The mailbox of the corpus has {plan['messages']:,} messages, the large one {plan['large']:,}. "
             f"Idle connections: {plan['idle_users']}, each of a user with {plan['idle_messages']} messages. "
             "Both servers keep passwords as PLAIN, use one certificate (ECDSA P-256), and have mail on the disk before they accept it "
             "(Dovecot: `mail_fsync = always`). A ratio above 1 means that Postkeep is better. "
             "`login-plain-reused` lets a process of Dovecot serve 200 connections, one after another, instead of one. "
             "A star: the load generator was busy for more than nine tenths of a core, so the figure may be its own.", "",
             "## Goals", "", *goals_table(report), ""]
    if any(entry.get("again") for entry in report["results"]):
        lines += ["†: measured again by itself, after the code had changed.", ""]
    failed = [f"`{entry['name']}` ({entry['failed']})" for entry in report["results"] if "failed" in entry]
    if failed:
        lines += ["Not measured, because it failed: " + "; ".join(failed) + ".", ""]
    for name, words in plots:
        lines += [f"![{words}]({folder.name}/{name})", ""]
    if len(idle := idle_table(report)) > 2:
        lines += ["## Idle connections", "", *idle, ""]
    if background := background_table(report):
        lines += ["## Work after the answer", "",
                  "Processor time that the server used after the measured phase, until it was quiet.", "", *background, ""]
    return "\n".join(lines + ["## The machine's limits", "", *limits_lines(report), ""])


def measured_again(report, path):
    """With the entries of a later run in place of those of the same name."""
    if not path:
        return report
    later = json.loads(pathlib.Path(path).read_text())
    entries = {entry["name"]: dict(entry, again=True) for entry in later["results"] if "servers" in entry}
    return dict(report, results=[entries.get(entry["name"], entry) for entry in report["results"]])


def with_growth(paths):
    """The section on growth, from results of --growth and --growth-users."""
    lines = ["## How cost grows", ""] if paths else []
    for path in paths:
        report = json.loads(pathlib.Path(path).read_text())
        of = {"messages": "mailboxes of so many messages", "users": "so many users"}[report["grows"]]
        lines += [f"The same with {of}, one round each; {report['seconds']:.0f} seconds.", "", *growth_table(report), ""]
    return lines


def with_many(path):
    """The section on very many idle connections, from results of many-idle-tls."""
    if not path:
        return []
    report = json.loads(pathlib.Path(path).read_text())
    plan = report["plan"]
    return ["## Very many connections", "",
            f"{plan['idle_users']:,} connections by TLS in IDLE, each of a user with {plan['idle_messages']} message of {plan['idle_size']:,} octets; "
            "a message was delivered to each, then each fetched its mail.", "", *idle_table(report), ""]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("--growth", action="append", default=[], help="results of compare.py --growth or --growth-users, for a table of them")
    parser.add_argument("--again", help="results of a later run of a few workloads, to take the place of those and be marked")
    parser.add_argument("--many", help="results of compare.py many-idle-tls, for a table of them")
    parser.add_argument("--out", default="docs/performance.md")
    options = parser.parse_args()
    report = measured_again(json.loads(pathlib.Path(options.results).read_text()), options.again)
    out = pathlib.Path(options.out)
    folder = out.with_suffix("")
    plots = write_plots(report, folder)
    out.write_text(page(report, plots, folder) + "\n".join(with_many(options.many) + with_growth(options.growth)))
    print(f"{out} and {len(plots)} plots in {folder}")


if __name__ == "__main__":
    main()
