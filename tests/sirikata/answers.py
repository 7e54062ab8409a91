"""What an object host's answers say of the world: when it served, and for how long it did not."""

from dataclasses import dataclass

# An object host asks five times a second: with no answer for this long, a server does not serve.
SILENCE = 0.7


@dataclass(frozen=True)
class Answer:
    """One answer: when, in seconds; which server; whether that server had all that it needs."""

    at: float
    server: int
    whole: bool


def parse(text: str) -> list[Answer]:
    """The lines of one or more files `answers`, in the order of time; a line that a power cut left half is
    none."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) != 8 or words[3] != "space" or "/" not in words[7]:
            continue
        met, _, peers = words[7].removeprefix("peers=").partition("/")
        whole = (words[5], words[6], met) == ("pinto=1", "oseg=1", peers)
        found.append(Answer(float(words[0]), int(words[1]), whole))
    return sorted(found, key=lambda answer: answer.at)


def gaps(answers: list[Answer], servers: int, since: float, until: float) -> list[tuple[float, float]]:
    """From when to when the world did not serve: some server was silent, or lacked something."""
    heard = {
        server: [a.at for a in answers if a.server == server and a.whole] for server in range(1, servers + 1)
    }
    edges: list[tuple[float, float]] = []
    for times in heard.values():
        known = [time for time in times if since - SILENCE <= time <= until]
        for before, after in zip([since, *known], [*known, until], strict=True):
            if after - before > SILENCE:
                edges.append((max(before, since), after))
    return _merged(sorted(edges))


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for begin, end in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def longest(answers: list[Answer], servers: int, since: float, until: float) -> float:
    """For how many seconds on end the world did not serve."""
    return max((end - begin for begin, end in gaps(answers, servers, since, until)), default=0.0)
