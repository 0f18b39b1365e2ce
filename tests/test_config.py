"""An option is read exactly as a person meant it, or refused with its name, what was given and what is allowed."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenued.config import OPTIONS, Option, Settings, build_settings, environment_layer, read_option
from revenued.errors import SettingError

NUMBERS = [option for option in OPTIONS.values() if option.kind in ("int", "float")]

number_like = st.from_regex(r"\A[-+]?[0-9_]{1,25}(\.[0-9]{0,9})?(e[-+]?[0-9]{1,4})?\s?(ppm|%|[smhdwx]|msat)?\Z")
special = st.sampled_from(
    [
        *("nan", "inf", "-inf", "NaN", "Infinity", "1e999", "-1e999", "", " ", "%", "s", "-", "0x10", "1e3", "maybe"),
        *("true", "٣٠m", "¹", "３０", "None", "\0", "\ud800", "1" * 50 + "w", "9" * 58 + "%", "9" * 400 + "d"),
        *("9" * 5000, "9" * 100_000, "0." + "9" * 5000, "1h" * 3000),
    ]
)  # fmt: skip
text = st.one_of(st.text(max_size=40), special, number_like)
anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([10**400, -(10**400), 2**63]),
        st.floats(),
        text,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)
names = st.one_of(
    st.sampled_from(sorted(OPTIONS)),
    st.sampled_from(["__class__", "__init__", "model_config", "model_fields", "_bounds_are_in_order", "get", "keys"]),
    st.text(max_size=20),
)


def nested(depth: int) -> list[Any]:
    """Return a list in a list in a list …"""
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


def assert_fits(option: Option, value: object) -> None:
    """The value is one that the option declares."""
    assert type(value) is {"bool": bool, "int": int, "float": float, "choice": str}[option.kind]
    if option.kind == "choice":
        assert value in option.choices
    if isinstance(value, int | float) and option.kind != "bool":
        assert option.least is not None
        assert option.most is not None
        assert option.least <= value <= option.most


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_every_option_is_declared_whole(option: Option) -> None:
    assert option.help.endswith(".")
    assert_fits(option, option.default)
    assert read_option(option.key, option.default) == option.default
    if option.kind in ("int", "float"):
        assert option.unit
        assert option.least is not None
        assert option.most is not None
        assert option.least < option.most


def test_the_defaults_go_together_and_nothing_is_told_to_a_node_by_default() -> None:
    assert build_settings() == Settings()
    assert Settings().dry_run is True


@given(names, anything)
def test_any_key_and_any_value_gives_a_value_in_range_or_a_setting_error(key: str, given_: object) -> None:
    try:
        value = read_option(key, given_)
    except SettingError:
        return
    assert_fits(OPTIONS[key], value)


@given(st.dictionaries(names, anything, max_size=6))
def test_any_layer_gives_settings_in_range_or_a_setting_error(layer: dict[str, Any]) -> None:
    try:
        settings = build_settings(layer)
    except SettingError:
        return
    for option in OPTIONS.values():
        assert_fits(option, getattr(settings, option.key))
    assert settings.min_fee_ppm <= settings.max_fee_ppm


@given(st.sampled_from(sorted(OPTIONS)), text)
def test_any_text_in_the_environment_gives_a_value_in_range_or_a_setting_error(key: str, given_: str) -> None:
    try:
        layer = environment_layer({"REVENUED_" + key.upper(): given_})
    except SettingError:
        return
    assert_fits(OPTIONS[key], layer[key])


@given(st.sampled_from(NUMBERS), st.data())
def test_every_number_in_range_is_read_as_it_is_as_a_number_and_as_text(option: Option, data: st.DataObject) -> None:
    least, most = option.least or 0, option.most or 0
    drawn = st.integers(math.ceil(least), math.floor(most)) if option.kind == "int" else st.floats(least, most)
    value = data.draw(drawn)
    assert read_option(option.key, value) == read_option(option.key, repr(value)) == value


@pytest.mark.parametrize("option", NUMBERS, ids=lambda option: option.key)
def test_the_bounds_are_allowed_and_what_is_just_beyond_is_not(option: Option) -> None:
    assert option.least is not None
    assert option.most is not None
    bit = 1 if option.kind == "int" else 1e-9 * max(1.0, option.most)
    for bound, beyond in ((option.least, option.least - bit), (option.most, option.most + bit)):
        fitting = int if option.kind == "int" else float
        assert read_option(option.key, fitting(bound)) == bound
        with pytest.raises(SettingError) as refusal:
            read_option(option.key, fitting(beyond))
        assert str(refusal.value) == f"{option.key}: {fitting(beyond)!r} is not allowed; allowed: {option.allowed}"


@pytest.mark.parametrize(
    ("key", "given_", "value"),
    [
        ("fee_interval", "30m", 1800),
        ("fee_interval", " 30 m ", 1800),
        ("fee_interval", "1h30m", 5400),
        ("fee_interval", "1h 30m", 5400),
        ("fee_interval", "1.5h", 5400),
        ("fee_interval", "1.1h", 3960),
        ("fee_interval", "90s", 90),
        ("fee_interval", "1d", 86_400),
        ("fee_interval", "1_800", 1800),
        ("fee_interval", "1_800 s", 1800),
        ("snapshot_interval", "1w", 604_800),
        ("min_fee_change_interval", "0s", 0),
        ("max_fee_ppm", "1_000", 1000),
        ("max_fee_ppm", "5 ppm", 5),
        ("max_fee_ppm", "5ppm", 5),
        ("max_fee_ppm", "5 PPM", 5),
        ("max_fee_ppm", "+5", 5),
        ("base_fee_msat", "1000 msat", 1000),
        ("respect_manual_hours", "48 h", 48),
        ("flow_window_days", "14d", 14),
        ("exposure_min_forwards", "12 forwards", 12),
        ("gossip_burst", "5 updates", 5),
        ("gossip_updates_per_day", "2.5 updates", 2.5),
        ("gossip_updates_per_day", 3, 3.0),
        ("scarcity_threshold", "30%", 0.3),
        ("scarcity_threshold", "30 %", 0.3),
        ("scarcity_threshold", "57%", 0.57),
        ("scarcity_threshold", "33.3%", 0.333),
        ("scarcity_threshold", "0.3", 0.3),
        ("scarcity_threshold", ".3", 0.3),
        ("fee_hysteresis", "5e-2", 0.05),
        ("fee_hysteresis", 0, 0.0),
        ("dry_run", "YES", True),
        ("dry_run", "on", True),
        ("dry_run", "1", True),
        ("dry_run", "no", False),
        ("dry_run", "Off", False),
        ("fee_learner", " fixed ", "fixed"),
    ],
)
def test_human_forms_are_read_exactly(key: str, given_: object, value: object) -> None:
    read = read_option(key, given_)
    assert read == value
    assert type(read) is type(value)


@given(st.integers(1, 90), st.integers(0, 999))
def test_percent_are_read_without_a_rounding_error(whole: int, thousandths: int) -> None:
    exact = min(Fraction(90), whole + Fraction(thousandths, 1000))
    assert read_option("scarcity_threshold", f"{float(exact)!r}%") == float(exact / 100)


@pytest.mark.parametrize(
    ("key", "given_"),
    [
        ("min_fee_ppm", "5 sat"),
        ("min_fee_ppm", "5 h"),
        ("min_fee_ppm", "5%"),
        ("min_fee_ppm", "5.0"),
        ("min_fee_ppm", 5.0),
        ("min_fee_ppm", True),
        ("min_fee_ppm", None),
        ("min_fee_ppm", [5]),
        ("min_fee_ppm", "٥"),
        ("min_fee_ppm", "0x5"),
        ("min_fee_ppm", "5__0"),
        ("fee_interval", "٣٠m"),
        ("fee_interval", "30 minutes"),
        ("fee_interval", "30M"),
        ("fee_interval", "-30m"),
        ("fee_interval", "90.5s"),
        ("fee_interval", "m"),
        ("scarcity_threshold", "1e1%"),
        ("scarcity_threshold", "%"),
        ("scarcity_threshold", "nan"),
        ("scarcity_threshold", "nan%"),
        ("scarcity_threshold", math.nan),
        ("scarcity_threshold", math.inf),
        ("scarcity_threshold", "30"),
        ("scarcity_threshold", True),
        ("dry_run", "maybe"),
        ("dry_run", 1),
        ("dry_run", 0.0),
        ("dry_run", None),
        ("fee_learner", "FIXED"),
        ("fee_learner", "posterior"),
        ("fee_learner", 1),
        ("fee_learner", None),
    ],
)
def test_what_is_not_clearly_a_value_is_refused_with_what_is_allowed(key: str, given_: object) -> None:
    with pytest.raises(SettingError) as refusal:
        read_option(key, given_)
    assert str(refusal.value).startswith(f"{key}: ")
    assert str(refusal.value).endswith(f"is not allowed; allowed: {OPTIONS[key].allowed}")


@pytest.mark.parametrize("key", ["min_fee_ppm", "fee_interval", "scarcity_threshold", "dry_run", "fee_learner"])
def test_what_is_too_long_to_read_or_to_show_is_refused_in_a_short_sentence(key: str) -> None:
    for monster in (10**400, 10**5000, nested(5000), "9" * 5000, "9" * 5000 + "d", "9" * 400 + "d", "x" * 100_000):
        with pytest.raises(SettingError, match=f"^{key}: .{{1,80}} is not allowed; allowed: ") as refusal:
            read_option(key, monster)
        assert len(str(refusal.value)) < 250


@pytest.mark.parametrize("key", ["min_fee", "MIN_FEE_PPM", "", "__class__", "model_config", "__dict__", "x" * 10_000])
def test_a_key_that_is_no_option_is_refused_by_name(key: str) -> None:
    with pytest.raises(SettingError, match="no such option"):
        read_option(key, 5)
    with pytest.raises(SettingError, match="no such option"):
        build_settings({key: 5})


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ({"min_fee_ppm": 600, "max_fee_ppm": 500}, ["min_fee_ppm (600)", "max_fee_ppm (500)"]),
        ({"min_fee_ppm": 6000}, ["min_fee_ppm (6000)", "max_fee_ppm (5000)"]),
        ({"exposure_min_hours": 100}, ["exposure_min_hours (100)", "exposure_max_hours (72)"]),
        (
            {"retention_forwards_days": 2000, "retention_hours_days": 100},
            ["retention_forwards_days (2000)", "retention_hours_days (100)"],
        ),
        (
            {"flow_window_days": 30, "retention_samples_days": 7},
            ["flow_window_days (30)", "retention_samples_days (7)"],
        ),
    ],
)
def test_two_options_that_contradict_each_other_are_refused_naming_both(
    layer: dict[str, int], words: list[str]
) -> None:
    with pytest.raises(SettingError) as refusal:
        build_settings(layer)
    assert all(word in str(refusal.value) for word in words)


def test_a_later_layer_wins_and_may_mend_what_an_earlier_one_made_contradictory() -> None:
    settings = build_settings({"min_fee_ppm": 6000, "dry_run": "no"}, {"max_fee_ppm": 7000}, {"min_fee_ppm": "6_500"})
    assert (settings.min_fee_ppm, settings.max_fee_ppm, settings.dry_run) == (6500, 7000, False)


def test_settings_in_force_cannot_be_changed_by_their_holder() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().dry_run = False  # type: ignore[misc]


def test_the_environment_gives_options_by_their_names_in_capitals_and_leaves_the_rest() -> None:
    environment = {"REVENUED_MIN_FEE_PPM": "5 ppm", "REVENUED_CONTROL": "/run/x", "min_fee_ppm": "7", "PATH": "/bin"}
    assert environment_layer(environment) == {"min_fee_ppm": 5}


def test_a_variable_with_our_prefix_that_sets_no_option_is_refused_rather_than_overlooked() -> None:
    with pytest.raises(SettingError, match="REVENUED_MIN_FEES: the environment sets an option that does not exist"):
        environment_layer({"REVENUED_MIN_FEES": "5"})


def test_the_environment_is_refused_like_any_other_source() -> None:
    with pytest.raises(
        SettingError, match="min_fee_ppm: 'cheap' is not allowed; allowed: whole number from 0 to 100000 ppm"
    ):
        environment_layer({"REVENUED_MIN_FEE_PPM": "cheap"})
