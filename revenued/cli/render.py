"""The only place where msat, ratios and instants become text; whatever is unknown is called unknown, never 0."""

from datetime import UTC, datetime

from revenued.cli.escape import cut, plain
from revenued.units import MSAT_PER_SAT, Msat, balance_in_sat, cost_in_sat, to_ppm

UNKNOWN = "unknown"
NOTHING = "-"
"""Stands where there is nothing to say, as opposed to something that is not known."""

SMALL_MSAT = 10 * MSAT_PER_SAT
ALIAS_CELLS = 20
LONG_ID = 20


def amount(msat: int | None) -> str:
    """Return a balance or an income in sat, rounded down; below 10 sat to the msat."""
    if msat is None:
        return UNKNOWN
    return _small(msat) if _is_small(msat) else f"{balance_in_sat(Msat(msat)):,}"


def cost(msat: int | None) -> str:
    """Return what was spent in sat, rounded up; below 10 sat to the msat."""
    if msat is None:
        return UNKNOWN
    return _small(msat) if _is_small(msat) else f"{cost_in_sat(Msat(msat)):,}"


def _is_small(msat: int) -> bool:
    return abs(msat) < SMALL_MSAT and msat != 0


def _small(msat: int) -> str:
    sign = "-" if msat < 0 else ""
    sat, rest = divmod(abs(msat), MSAT_PER_SAT)
    return f"{sign}{sat}.{rest:03d}"


def with_unit(text: str, unit: str) -> str:
    """Return a rendered number with its unit; what is unknown needs none."""
    return text if text == UNKNOWN else f"{text} {unit}"


def count(number: int | None) -> str:
    """Return a count, or a fee rate where ppm is said already, with thousands separators."""
    return UNKNOWN if number is None else f"{number:,}"


def price(ppm: int | None, base_msat: int | None) -> str:
    """Return a whole price: the rate, and the base fee unless that is known to be 0."""
    if ppm is None:
        return UNKNOWN
    if base_msat is None:
        return f"{ppm:,} ppm + unknown base fee"
    return f"{ppm:,} ppm" if base_msat == 0 else f"{ppm:,} ppm + {base_msat:,} msat"


def rate_of(part_msat: int | None, whole_msat: int | None) -> str:
    """Return what `part_msat` is of `whole_msat` in ppm; unknown when there is no whole to compare with."""
    if part_msat is None or whole_msat is None:
        return UNKNOWN
    return count(to_ppm(Msat(part_msat), Msat(whole_msat)))


def share(ratio: float | None) -> str:
    """Return a ratio (0 to 1) in percent."""
    return UNKNOWN if ratio is None else f"{100 * ratio:.0f} %"


def percentage(points: float | None) -> str:
    """Return what already is in percent, with one decimal."""
    return UNKNOWN if points is None else f"{points:,.1f} %"


def instant(iso: str | None) -> str:
    """Return an instant to the second, in UTC and marked so."""
    if iso is None:
        return UNKNOWN
    parsed = _parsed(iso)
    return plain(iso) if parsed is None else f"{parsed:%Y-%m-%d %H:%M:%S}Z"


def day(iso: str | None) -> str:
    """Return the day of an instant in UTC."""
    return instant(iso)[:10] if iso is not None else UNKNOWN


def distance(iso: str | None, now: str) -> str:
    """Return how long before or after the daemon's `now` an instant is."""
    if iso is None:
        return UNKNOWN
    then, present = _parsed(iso), _parsed(now)
    if then is None or present is None:
        return plain(iso)
    seconds = round((present - then).total_seconds())
    if abs(seconds) < 1:
        return "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def span(seconds: int) -> str:
    """Return a length of time in its largest whole unit."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def took(ms: int | None) -> str:
    """Return how long something took, from milliseconds."""
    if ms is None:
        return UNKNOWN
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s" if ms < 120_000 else span(ms // 1000)


def size(number: int | None) -> str:
    """Return a number of bytes."""
    if number is None:
        return UNKNOWN
    return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{number / 1e6:,.1f} MB"


def words(given: object) -> str:
    """Return text that somebody else wrote as one safe line; None is unknown."""
    return UNKNOWN if given is None else plain(given)


def words_if_any(given: object) -> str:
    """Return text that somebody else wrote as one safe line; None or empty means that there is nothing to say."""
    return plain(given) if given else NOTHING


def alias(given: object) -> str:
    """Return a node's alias, which is hostile text, cut to the width of its column."""
    return UNKNOWN if given is None else cut(plain(given), ALIAS_CELLS)


def short_id(given: object) -> str:
    """Return an id, the long ones as their two ends."""
    if given is None:
        return UNKNOWN
    text = plain(given)
    return text if len(text) <= LONG_ID else f"{text[:10]}…{text[-6:]}"


def setting(given: object, unit: object = "") -> str:
    """Return an option's value with its unit; ratios as the operator types them."""
    if given is None:
        return UNKNOWN
    if isinstance(given, bool):
        return "true" if given else "false"
    if unit == "ratio" and isinstance(given, int | float):
        return f"{100 * given:g} %"
    text = f"{given:g}" if isinstance(given, float) else plain(given)
    return f"{text} {plain(unit)}" if unit else text


def _parsed(iso: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo is not None else None
