"""What a command would change: the steps of it, as values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One change.

    subject  what changes: a machine, a service, a cluster, a file
    action   what is done to it, as an order: "terminate"
    details  more about it, a line each
    """

    subject: str
    action: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """What a command would do, in its order; no steps where it would change nothing."""

    steps: tuple[Step, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.steps

    def lines(self) -> list[str]:
        """The steps, for people."""
        return [
            line
            for step in self.steps
            for line in (f"{step.subject}: {step.action}", *(f"  {detail}" for detail in step.details))
        ]
