"""What a credit note takes back of a receipt's lines: each its share, to the last minor unit."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cloud.domain.bill_lines import Line


def credited(lines: Sequence[Line], net_minor: int, tax_minor: int) -> tuple[Line, ...]:
    """Return the lines with so much of their net amounts and of their taxes, as minuses.

    What is taken back in all is said by the ledger; here it is only shared out, in proportion.

    Raises:
        ValueError: there is not so much in the lines.
    """
    nets = shared_out(net_minor, [one.net_minor for one in lines])
    taxes = shared_out(tax_minor, [one.tax_minor for one in lines])
    taken = (
        replace(one, net_minor=-net, gross_minor=-(net + tax))
        for one, net, tax in zip(lines, nets, taxes, strict=True)
    )
    return tuple(one for one in taken if one.net_minor or one.gross_minor)


def shared_out(total: int, weights: Sequence[int]) -> list[int]:
    """Return the total in as many parts, in proportion; they sum to it, whatever their signs.

    Raises:
        ValueError: it is more than the weights are together.
    """
    whole = sum(weights)
    if not 0 <= total <= whole:
        raise ValueError(f"{total} cannot be shared out among {whole}")
    parts: list[int] = []
    passed = done = 0
    for weight in weights:
        passed += weight
        upto = total * passed // whole if whole else 0
        parts.append(upto - done)
        done = upto
    return parts


def remaining(lines: Iterable[Line], notes: Iterable[Sequence[Line]]) -> tuple[Line, ...]:
    """Return what is left of a receipt's lines after its notes so far."""
    left = list(lines)
    for note in notes:
        taken = list(note)
        for place, line in enumerate(left):
            match = next((one for one in taken if _is_of(one, line)), None)
            if match is not None:
                taken.remove(match)
                left[place] = replace(
                    line,
                    net_minor=line.net_minor + match.net_minor,
                    gross_minor=line.gross_minor + match.gross_minor,
                )
    return tuple(left)


def _is_of(taken: Line, line: Line) -> bool:
    return replace(taken, net_minor=line.net_minor, gross_minor=line.gross_minor) == line
