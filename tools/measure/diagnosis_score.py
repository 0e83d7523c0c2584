"""Reading what parity-check says of wrong results, and comparing it with the truth."""

import re
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure.wrong_ways import WAYS

STATUSES = "passed|failed|invalid|unreadable|inconclusive|skipped"
CASE = re.compile(rf"({STATUSES})\s+(\S+)")
DIAGNOSIS = re.compile(r"\s+diagnosis: .*\[([^\[\]]+)\]\s*$")
#: A name, with the number or the scope that it was made with.
NAME = re.compile(r"[a-z0-9-]+(?:\([^()]*\))?")
PLACE = re.compile(r"\s.*\bit starts at (.*)")
COLOR = re.compile(r"\x1b\[[0-9;]*m")

#: A step whose hidden unit is off by less than the first can't be seen; by more than the
#: second, it can't be missed.
UNSEEN, SURE = 3e-8, 1e-5


@dataclass
class Verdict:
    status: str
    #: Sets of slugs, best first.
    explanations: list[frozenset[str]] = field(default_factory=list)
    #: The parts of the place claimed: sequence, step, layer, direction, unit, gate.
    place: dict[str, Any] | None = None


def run(command: list[Any], report: Path) -> str:
    """What the command prints, also kept in a file; its exit status says that cases failed."""
    start = time.monotonic()
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    print(f"{time.monotonic() - start:.1f} s")
    report.write_text(result.stdout)
    if result.returncode not in (0, 1) or result.stderr:
        print(f"exit status {result.returncode}: {result.stderr.strip()[-2000:]}")
    return result.stdout


def parse(text: str) -> dict[str, Verdict]:
    """By the case's name."""
    verdicts: dict[str, Verdict] = {}
    current = None
    for line in COLOR.sub("", text).splitlines():
        if found := CASE.match(line):
            current = verdicts[found[2].removesuffix(".npz")] = Verdict(found[1])
        elif not line.startswith(" "):
            current = None
        elif current is None:
            continue
        elif found := DIAGNOSIS.match(line):
            current.explanations.append(frozenset(map(slug, NAME.findall(found[1]))))
        elif found := PLACE.match(line):
            current.place = parse_place(found[1])
    return verdicts


def slug(name: str) -> str:
    """The name as a way has it: without its number where the way has none."""
    number = re.fullmatch(r"([a-z0-9-]+)\([0-9.]+\)", name)
    return number[1] if number and name not in WAYS else name


def parse_place(text: str) -> dict[str, Any]:
    place: dict[str, Any] = {
        name: int(number) for name, number in re.findall(r"(sequence|step|layer|unit) (\d+)", text)
    }
    if found := re.search(r"\b(forward|reverse)\b", text):
        place["direction"] = int(found[1] == "reverse")
    if found := re.search(r"\bgate (\w)\b", text):
        place["gate"] = found[1]
    return place


def accepted(truth: dict) -> set[frozenset[str]]:
    return {frozenset(ways) for ways in [truth["ways"], *truth["equivalent"]]}


def score(truth: dict, verdict: Verdict | None) -> str:
    """In one word, of a case with known ways."""
    if verdict is None:
        return "not reported"
    if verdict.status != "failed":
        return verdict.status
    if not verdict.explanations:
        return "nothing named"
    right = accepted(truth)
    if verdict.explanations[0] in right:
        return "first"
    if right & set(verdict.explanations):
        return "among"
    union = set().union(*right)
    return "partly" if any(each & union for each in verdict.explanations) else "another named"


def share(count: int, of: int) -> str:
    return f"{count:5} of {of}, {100 * count / of:5.1f}%" if of else "    none"


def summary(truth: dict[str, dict], verdicts: dict[str, Verdict]) -> list[str]:
    known = {name: case for name, case in truth.items() if case["ways"]}
    unlisted = {name: case for name, case in truth.items() if not case["ways"]}
    lines = []
    if known:
        lines += summary_of_ways(known, verdicts)
    if unlisted:
        lines += summary_of_places(unlisted, verdicts)
    return lines


def summary_of_ways(truth: dict[str, dict], verdicts: dict[str, Verdict]) -> list[str]:
    scores = {name: score(case, verdicts.get(name)) for name, case in truth.items()}
    counts, total = Counter(scores.values()), len(truth)
    named = counts["first"] + counts["among"]
    lines = [
        f"named first          {share(counts['first'], total)}",
        f"among the named      {share(named, total)}",
    ]
    if pairs := [name for name, case in truth.items() if len(case["ways"]) > 1]:
        of_pairs = Counter(scores[name] for name in pairs)
        both = of_pairs["first"] + of_pairs["among"]
        lines.append(f"fully named pairs    {share(both, len(pairs))}")
    lines += [
        f"falsely explained    {share(counts['partly'] + counts['another named'], total)}",
        f"of these in part     {share(counts['partly'], total)}",
        f"nothing named        {share(counts['nothing named'], total)}",
        *(f"{word:21}{share(counts[word], total)}" for word in sorted(
            set(counts) - {"first", "among", "partly", "another named", "nothing named"})),
        "", *table(truth, scores), "",
        *(miss(name, truth[name], scores[name], verdicts.get(name)) for name in truth
          if scores[name] not in ("first", "among")),
    ]
    return lines


def table(truth: dict[str, dict], scores: dict[str, str]) -> list[str]:
    """Each way's cases, and those in which it was not named."""
    ways: dict[str, list[str]] = defaultdict(list)
    for name, case in truth.items():
        for slug in case["ways"]:
            ways[slug].append(scores[name])
    lines = [f"{'way':38}{'cases':>6}{'first':>7}{'among':>7}{'missed':>8}"]
    for slug, own in sorted(ways.items(), key=lambda item: (-misses(item[1]), item[0])):
        count = Counter(own)
        lines.append(
            f"{slug:38}{len(own):6}{count['first']:7}{count['among']:7}{misses(own):8}")
    return lines


def misses(scores: Iterable[str]) -> int:
    return sum(word not in ("first", "among") for word in scores)


def said(verdict: Verdict | None) -> str:
    if verdict is None:
        return "-"
    named = [" + ".join(sorted(each)) for each in verdict.explanations]
    return "; ".join(named) or f"{verdict.place or '-'}"


def miss(name: str, truth: dict, word: str, verdict: Verdict | None) -> str:
    return f"{name}  {word}: {' + '.join(truth['ways'])}; said: {said(verdict)}"


def summary_of_places(truth: dict[str, dict], verdicts: dict[str, Verdict]) -> list[str]:
    falsely, silent, other = [], [], Counter()
    claims: dict[str, list[dict[str, bool]]] = defaultdict(list)
    wrong = []
    for name, case in truth.items():
        verdict = verdicts.get(name)
        if verdict is None or verdict.status != "failed":
            other["not reported" if verdict is None else verdict.status] += 1
        elif verdict.explanations:
            falsely.append(f"{name}  {case['made']}, said: {said(verdict)}")
        elif not verdict.place:
            silent.append(name)
        else:
            judged = judge_place(case, verdict.place)
            claims[case["made"]].append(judged)
            if not all(judged.values()):
                parts = ", ".join(part for part, right in judged.items() if not right)
                true = {key: value for key, value in case["place"].items() if key != "differences"}
                wrong.append(f"{name}  {parts} wrong: {verdict.place}, in truth {true}")
    total, every = len(truth), [claim for own in claims.values() for claim in own]
    lines = [
        f"falsely explained    {share(len(falsely), total)}",
        f"place claimed        {share(len(every), total)}",
        f"place right          {share(sum(all(c.values()) for c in every), len(every))}",
        f"neither              {share(len(silent), total)}",
        *(f"{word:21}{share(count, total)}" for word, count in sorted(other.items())),
        "", "each part of a place, right of those claimed",
    ]
    for made, own in sorted(claims.items()):
        for part in ("sequence", "step", "layer", "direction", "unit", "gate"):
            claimed = [claim[part] for claim in own if part in claim]
            if claimed:
                lines.append(f"{made:16}{part:12}{share(sum(claimed), len(claimed))}")
    return [*lines, "", *falsely, *wrong]


def judge_place(case: dict, claim: dict[str, Any]) -> dict[str, bool]:
    """Each part claimed, right or not."""
    true = case["place"]
    judged = {
        part: claim[part] == true[part]
        for part in ("layer", "direction", "unit") if part in claim
    }
    if "gate" in claim:
        judged["gate"] = claim["gate"] == true.get("gate")
    if "differences" not in true:
        return judged | {
            part: claim[part] == true[part] for part in ("sequence", "step") if part in claim
        }
    differences = true["differences"]
    if (sequence := claim.get("sequence")) is not None:
        inside = sequence < len(differences)
        judged["sequence"] = inside and max(differences[sequence]) >= UNSEEN
        if "step" in claim:
            judged["step"] = inside and is_first(
                differences[sequence], claim["step"], bool(true["direction"]))
    return judged


def is_first(differences: list[float], step: int, reverse: bool) -> bool:
    """Whether a sequence can be seen to part here first, in the order of reading."""
    if step >= len(differences):
        return False
    earlier = differences[step + 1:] if reverse else differences[:step]
    return differences[step] >= UNSEEN and all(each < SURE for each in earlier)
